#include "runtime/existing_namespace.h"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "sys/channel.h"
#include "sys/file.h"
#include "sys/namespaces.h"
#include "sys/process.h"

namespace berth::runtime {

namespace {

constexpr size_t kLongestMap = 16384;  // 340 extents, as the kernel prints them in columns

Result<idmap::IdMap> read_map(pid_t pid, const char* name) {
  const std::string path = fmt::format("/proc/{}/{}", pid, name);
  const std::string text = TRY(sys::read_file_at(AT_FDCWD, path, kLongestMap));
  if (text.empty()) return fail(Code::usage, "its {} is empty: nobody has written it yet", name);
  return idmap::IdMap::parse(text);
}

}  // namespace

Result<sys::UniqueFd> open_user_namespace(const std::string& path) {
  sys::UniqueFd file = TRY(sys::open_namespace(path, CLONE_NEWUSER));
  if (!TRY(sys::is_own_namespace(file.get(), CLONE_NEWUSER))) return file;
  Error error{Code::usage, 0, fmt::format("{} is the host's own user namespace", path), {}};
  return std::unexpected(std::move(error).with_hint("`--userns host` says so plainly."));
}

// The kernel shows a map to a process of it only, so one goes in and waits to be looked at.
Result<NamespaceMaps> maps_of_namespace(const std::string& path) {
  const sys::UniqueFd space = TRY(open_user_namespace(path));
  auto [ours, theirs] = TRY(sys::Channel::make_pair());
  const sys::Child child = TRY(sys::fork_into(0));
  if (child.pid == 0) {
    ours.close();
    // Whoever is root in there could otherwise trace this process, and it has the engine's memory.
    ::prctl(PR_SET_DUMPABLE, 0);
    const bool entered = ::setns(space.get(), CLONE_NEWUSER) == 0;
    [[maybe_unused]] const Result<> told = theirs.send(entered ? "in" : "no");
    [[maybe_unused]] const Result<sys::Message> end = theirs.receive();
    ::_exit(0);
  }
  theirs.close();
  const auto look = [&]() -> Result<NamespaceMaps> {
    const sys::Message said = TRY(ours.receive());
    if (said.data != "in") return fail("enter the user namespace {}: the kernel refused", path);
    return NamespaceMaps{TRY(read_map(child.pid, "uid_map")), TRY(read_map(child.pid, "gid_map"))};
  };
  Result<NamespaceMaps> maps = look();
  ours.close();
  TRY(sys::wait_for(child.pidfd.get()));
  return maps;
}

}  // namespace berth::runtime
