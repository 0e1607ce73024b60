#include "sys/mount_namespace.h"

#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "sys/channel.h"
#include "sys/file.h"
#include "sys/process.h"

namespace berth::sys {

namespace {

Result<UniqueFd> unshare_mounts(int user_namespace) {
  if (::setns(user_namespace, CLONE_NEWUSER) != 0) return fail_errno(errno, "enter the user namespace");
  if (::unshare(CLONE_NEWNS) != 0) return fail_errno(errno, "copy the mount namespace");
  return open_at(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY);
}

}  // namespace

Result<ScopedMountNamespace> ScopedMountNamespace::enter(int space) {
  UniqueFd before = TRY(open_at(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY));
  if (::setns(space, CLONE_NEWNS) != 0) return fail_errno(errno, "enter a mount namespace");
  return ScopedMountNamespace(std::move(before));
}

ScopedMountNamespace::~ScopedMountNamespace() {
  // What is mounted from here on would be in the wrong one.
  if (before_.valid() && ::setns(before_.get(), CLONE_NEWNS) != 0) ::abort();
}

// Only a process that is in the user namespace makes one that belongs to it.
Result<UniqueFd> copy_mount_namespace(int user_namespace) {
  auto [ours, theirs] = TRY(Channel::make_pair());
  const Child child = TRY(fork_into(0));
  if (child.pid == 0) {
    ours.close();
    // Whoever is root in there could otherwise trace this process, which has the caller's memory.
    ::prctl(PR_SET_DUMPABLE, 0);
    const Result<UniqueFd> made = unshare_mounts(user_namespace);
    [[maybe_unused]] const Result<> told =
        made ? theirs.send("made", {made->get()}) : theirs.send(made.error().message);
    ::_exit(0);
  }
  theirs.close();
  Result<Message> said = ours.receive(1);
  TRY(wait_for(child.pidfd.get()));
  if (!said) return std::unexpected(said.error());
  if (said->fds.empty()) return fail("{}", said->data.empty() ? "copy the mount namespace" : said->data);
  return std::move(said->fds.front());
}

}  // namespace berth::sys
