#include "cgroup/control_file.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fields.h"
#include "sys/file.h"
#include "sys/openat2.h"

namespace berth::cgroup {

namespace {

// A container that may make cgroups below its own decides how deep they are; the kernel's own limit is
// cgroup.max.depth, which has none by default.
constexpr size_t kDeepest = 512;

bool gone(const Error& error) {
  return error.err == ENOENT || error.err == ENODEV;
}

// Names of the cgroups directly below. Everything in the file system that is a directory is one.
Result<std::vector<std::string>> children(int dir) {
  if (!TRY(has_children(dir))) return std::vector<std::string>();
  std::vector<std::string> names = TRY(sys::list_dir(dir));
  std::erase_if(names, [dir](const std::string& name) {
    struct stat found{};
    return ::fstatat(dir, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(found.st_mode);
  });
  return names;
}

struct Level {
  sys::UniqueFd dir;
  std::string name;
  std::vector<std::string> waiting;
};

Result<Level> enter(int parent, const std::string& name) {
  Level level{TRY(open_below(parent, name)), name, {}};
  level.waiting = TRY(children(level.dir.get()));
  return level;
}

}  // namespace

Result<std::string> read_control(int dir, const std::string& file) {
  constexpr size_t kLargest = size_t{16} << 20;
  return sys::read_file_at(dir, file, kLargest);
}

Result<std::vector<std::string>> read_words(int dir, const std::string& file) {
  const std::string text = TRY(read_control(dir, file));
  std::vector<std::string> words;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = rest.find_first_of(" \n");
    if (end != 0) words.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return words;
}

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string_view flat_value(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    if (take_until(line, ' ') == name) return line;
  }
  return {};
}

Result<bool> has_children(int dir) {
  const struct stat found = TRY(sys::stat_at(dir, "", AT_EMPTY_PATH));
  return found.st_nlink > 2;  // kernfs counts a directory's own two names and one for each below
}

Result<sys::UniqueFd> open_below(int dir, const std::string& name) {
  return sys::open_at(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

Result<sys::UniqueFd> open_path_below(int dir, const std::string& path) {
  Result<sys::UniqueFd> found =
      sys::open_at2(dir, path, O_PATH | O_DIRECTORY, 0,
                    RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  if (!found && found.error().err == EXDEV)
    return fail(Code::refused, "open the cgroup {}: something else is mounted there", printable(path));
  return found;
}

Result<> for_each_cgroup(int dir, const Visit& visit) {
  std::vector<Level> levels;
  levels.push_back({TRY(open_below(dir, ".")), ".", TRY(children(dir))});
  while (!levels.empty()) {
    Level& here = levels.back();
    if (!here.waiting.empty()) {
      const std::string name = std::move(here.waiting.back());
      here.waiting.pop_back();
      if (levels.size() >= kDeepest) return fail(Code::refused, "cgroups are more than {} deep", kDeepest);
      Result<Level> below = enter(here.dir.get(), name);
      if (!below && !gone(below.error())) return std::unexpected(std::move(below.error()));
      if (below) levels.push_back(std::move(*below));
      continue;
    }
    const std::string name = here.name;
    levels.pop_back();
    Result<> visited = visit(levels.empty() ? dir : levels.back().dir.get(), name);
    if (!visited && !gone(visited.error())) return visited;
  }
  return {};
}

Result<> read_processes(int dir, std::vector<pid_t>& found) {
  const Result<std::string> text = read_control(dir, "cgroup.procs");
  // In a threaded cgroup it can't be read; its processes are listed in the one that it belongs to.
  if (!text && text.error().err == EOPNOTSUPP) return {};
  if (!text) return std::unexpected(text.error());
  for (std::string_view rest = *text; !rest.empty();) {
    const auto pid = whole_number<pid_t>(take_until(rest, '\n'));
    if (pid && *pid > 0) found.push_back(*pid);  // 0: in a PID namespace that is not ours
  }
  return {};
}

}  // namespace berth::cgroup
