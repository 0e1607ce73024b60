#include "engine/audit/running_ids.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "ledger/process_ids.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

constexpr size_t kStatusLimit = size_t{64} << 10;
constexpr int kDeepestNesting = 33;  // of user namespaces (user_namespaces(7)), with the first

// However many extents the map says it in.
std::vector<idmap::IdRange> read_map(int procfs, const std::string& path) {
  return idmap::normalized(ledger::ranges_mapped_by(procfs, path));
}

// The "Uid:" line of /proc/PID/status: real, effective, saved. The fourth, of file systems, is left out: a
// server takes on its clients' for a moment.
std::vector<HostUid> read_users(std::string_view status) {
  constexpr std::string_view kLine = "\nUid:";
  const size_t at = status.find(kLine);
  if (at == std::string_view::npos) return {};
  std::string_view rest = status.substr(at + kLine.size());
  std::vector<HostUid> users;
  for (int i = 0; i < 3; ++i) {
    rest.remove_prefix(std::min(rest.find_first_of("0123456789"), rest.size()));
    uint32_t id = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), id);
    if (error != std::errc{}) return users;
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    if (id != 0 && std::ranges::find(users, HostUid(id)) == users.end()) users.emplace_back(id);
  }
  return users;
}

std::optional<uint64_t> inode_of(int fd) {
  struct stat st{};
  if (::fstat(fd, &st) != 0) return std::nullopt;
  return st.st_ino;
}

sys::UniqueFd open_namespace(int procfs, const std::string& pid) {
  return sys::UniqueFd(::openat(procfs, (pid + "/ns/user").c_str(), O_RDONLY | O_CLOEXEC));
}

class Look {
 public:
  explicit Look(sys::UniqueFd procfs) : procfs_(std::move(procfs)) {}

  Result<> begin(std::span<const pid_t> containers) {
    const std::optional<uint64_t> own = inode_of(open_namespace(procfs_.get(), "self").get());
    if (!own) return fail("cannot tell which user namespace this is: /proc/self/ns/user can't be opened");
    own_ = *own;
    for (const pid_t pid : containers) {
      const auto inode = inode_of(open_namespace(procfs_.get(), std::to_string(pid)).get());
      if (inode && *inode != own_) ours_.insert(*inode);
    }
    return {};
  }

  void at(const std::string& pid) {
    const sys::UniqueFd ns = open_namespace(procfs_.get(), pid);
    const std::optional<uint64_t> inode = ns ? inode_of(ns.get()) : std::nullopt;
    if (!inode) return;
    if (*inode != own_ && !found_.contains(*inode)) add_namespace(pid, *inode, ns.get());
    add_process(pid, *inode);
  }

  RunningIds take() {
    RunningIds ids{{}, std::move(processes_)};
    for (auto& [inode, found] : found_) ids.namespaces.push_back(std::move(found));
    return ids;
  }

 private:
  void add_namespace(const std::string& pid, uint64_t inode, int fd) {
    found_[inode] = {.inode = inode,
                     .pid = static_cast<pid_t>(std::strtol(pid.c_str(), nullptr, 10)),
                     .command = ledger::command_of(procfs_.get(), pid),
                     .ours = is_ours(inode, fd),
                     .users = read_map(procfs_.get(), pid + "/uid_map"),
                     .groups = read_map(procfs_.get(), pid + "/gid_map")};
  }

  // Whether it is a container's, or was made by somebody in one.
  [[nodiscard]] bool is_ours(uint64_t inode, int fd) const {
    if (ours_.contains(inode)) return true;
    sys::UniqueFd parent;
    for (int depth = 0; depth < kDeepestNesting; ++depth) {
      parent.reset(::ioctl(parent ? parent.get() : fd, NS_GET_PARENT));
      const std::optional<uint64_t> above = parent ? inode_of(parent.get()) : std::nullopt;
      if (!above || *above == own_) return false;
      if (ours_.contains(*above)) return true;
    }
    return false;
  }

  void add_process(const std::string& pid, uint64_t inode) {
    const auto found = found_.find(inode);
    if (found != found_.end() && found->second.ours) return;
    const Result<std::string> status = sys::read_file_at(procfs_.get(), pid + "/status", kStatusLimit);
    std::vector<HostUid> users = status ? read_users(*status) : std::vector<HostUid>{};
    if (found != found_.end()) {
      std::erase_if(users, [&](HostUid user) {
        return std::ranges::any_of(found->second.users,
                                   [&](const auto& ids) { return ids.contains(user.value()); });
      });
    }
    if (users.empty()) return;
    processes_.push_back({static_cast<pid_t>(std::strtol(pid.c_str(), nullptr, 10)),
                          ledger::command_of(procfs_.get(), pid), std::move(users)});
  }

  sys::UniqueFd procfs_;
  uint64_t own_ = 0;
  std::set<uint64_t> ours_;
  std::map<uint64_t, RunningNamespace> found_;
  std::vector<RunningProcess> processes_;
};

}  // namespace

Result<RunningIds> look_at_processes(const std::string& proc, std::span<const pid_t> containers) {
  sys::UniqueFd procfs = TRY(sys::open_at(AT_FDCWD, proc, O_RDONLY | O_DIRECTORY));
  std::vector<std::string> names =
      TRY_CONTEXT(sys::list_dir(procfs.get()), "look at the processes in {}", proc);
  std::erase_if(names, [](const std::string& name) { return name[0] < '1' || name[0] > '9'; });
  Look look(std::move(procfs));
  TRY(look.begin(containers));
  for (const std::string& pid : names) look.at(pid);
  return look.take();
}

}  // namespace berth::engine
