#include "engine/recovery/running_monitors.h"

#include <array>
#include <climits>
#include <cstdlib>
#include <map>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "idmap/id_map.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

constexpr size_t kShortId = 12;
constexpr size_t kLargestFile = 16384;

std::string link_text(int proc, const std::string& path) {
  std::array<char, PATH_MAX> text{};
  const ssize_t length = ::readlinkat(proc, path.c_str(), text.data(), text.size());
  return length > 0 ? std::string(text.data(), static_cast<size_t>(length)) : std::string();
}

// "berth-monitor\0<short id>\0": how engine/monitor_process.cc starts it. Empty for any other process.
std::string monitored_id(int proc, const std::string& pid) {
  struct stat st{};
  if (::fstatat(proc, pid.c_str(), &st, 0) != 0 || st.st_uid != 0) return {};
  const Result<std::string> line = sys::read_file_at(proc, pid + "/cmdline", kLargestFile);
  constexpr std::string_view kName{"berth-monitor\0", 14};
  if (!line || !line->starts_with(kName) || line->size() < kName.size() + kShortId) return {};
  const std::string id = line->substr(kName.size(), kShortId);
  const bool hexadecimal = id.find_first_not_of("0123456789abcdef") == std::string::npos;
  return hexadecimal && link_text(proc, pid + "/ns/pid") == link_text(proc, "self/ns/pid") ? id
                                                                                           : std::string();
}

// Field 4 of /proc/PID/stat.
std::string parent_of(int proc, const std::string& pid) {
  const Result<std::string> stat = sys::read_file_at(proc, pid + "/stat", kLargestFile);
  if (!stat) return {};
  const size_t after_name = stat->rfind(')');  // ") S 123 …"
  if (after_name == std::string::npos || after_name + 4 >= stat->size()) return {};
  const size_t begin = after_name + 4;
  return stat->substr(begin, stat->find(' ', begin) - begin);
}

// As it is recorded: one extent a line, without padding; empty for a map that changes nothing.
std::string map_text(int proc, const std::string& path) {
  const Result<std::string> text = sys::read_file_at(proc, path, kLargestFile);
  if (!text) return {};
  const Result<idmap::IdMap> map = idmap::IdMap::parse(*text);
  if (!map) return {};
  for (const idmap::Extent& extent : map->extents()) {
    if (extent.inside != extent.outside) return map->text();
  }
  return {};
}

}  // namespace

Result<std::vector<RunningMonitor>> running_monitors() {
  const sys::UniqueFd proc = TRY(sys::open_at(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY));
  std::map<std::string, std::string> monitors;  // PID to short ID
  std::vector<std::string> processes;
  for (std::string& name : TRY(sys::list_dir(proc.get()))) {
    if (name.front() < '1' || name.front() > '9') continue;
    if (std::string id = monitored_id(proc.get(), name); !id.empty()) monitors.emplace(name, std::move(id));
    processes.push_back(std::move(name));
  }
  std::vector<RunningMonitor> running;
  for (const std::string& process : processes) {
    const auto monitor = monitors.find(parent_of(proc.get(), process));
    if (monitor == monitors.end()) continue;
    running.push_back({static_cast<pid_t>(std::strtol(monitor->first.c_str(), nullptr, 10)), monitor->second,
                       map_text(proc.get(), process + "/uid_map"),
                       map_text(proc.get(), process + "/gid_map")});
  }
  return running;
}

}  // namespace berth::engine
