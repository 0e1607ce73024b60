#include "sys/user_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/pipe.h"
#include "sys/process.h"

namespace berth::sys {

namespace {

Result<UniqueFd> map_and_open(pid_t pid, const std::string& uid_map, const std::string& gid_map) {
  const UniqueFd process = TRY(open_at(AT_FDCWD, fmt::format("/proc/{}", pid), O_PATH | O_DIRECTORY));
  TRY(write_id_maps(process.get(), uid_map, gid_map));
  return open_at(process.get(), "ns/user", O_RDONLY);
}

}  // namespace

Result<> write_id_maps(int process, const std::string& uid_map, const std::string& gid_map) {
  TRY_CONTEXT(write_control_file(process, "uid_map", uid_map), "map the user IDs");
  TRY_CONTEXT(write_control_file(process, "gid_map", gid_map), "map the group IDs");
  return {};
}

Result<UniqueFd> make_user_namespace(const std::string& uid_map, const std::string& gid_map) {
  auto [waits, ends] = TRY(make_pipe());
  const Child child = TRY_CONTEXT(fork_into(CLONE_NEWUSER), "make a user namespace");
  if (child.pid == 0) {
    // Ends when the other process closes its end of the pipe, or dies.
    ends.reset();
    char byte = 0;
    [[maybe_unused]] const ssize_t n = ::read(waits.get(), &byte, 1);
    ::_exit(0);
  }
  Result<UniqueFd> made = map_and_open(child.pid, uid_map, gid_map);
  ends.reset();
  TRY(wait_for(child.pidfd.get()));
  return made;
}

}  // namespace berth::sys
