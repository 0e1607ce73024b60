#include "runtime/terminal.h"

#include <cerrno>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "sys/openat2.h"

namespace berth::runtime {

namespace {

Result<sys::UniqueFd> open_devpts() {
  sys::UniqueFd directory = TRY(sys::open_at2(AT_FDCWD, "/dev/pts", O_PATH | O_DIRECTORY, 0,
                                              RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS));
  struct statfs found{};
  if (::fstatfs(directory.get(), &found) != 0) return fail_errno(errno, "look at /dev/pts in the container");
  if (found.f_type != DEVPTS_SUPER_MAGIC)
    return fail(Code::refused, "the container has no devpts at /dev/pts, so it can't have a terminal");
  return directory;
}

}  // namespace

Result<sys::UniqueFd> open_master(int devpts) {
  constexpr uint64_t kOfTheDevpts = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;
  sys::UniqueFd master = TRY(sys::open_at2(devpts, "ptmx", O_RDWR | O_NOCTTY, 0, kOfTheDevpts));
  const int locked = 0;
  if (::ioctl(master.get(), TIOCSPTLCK, &locked) != 0) return fail_errno(errno, "unlock the terminal");
  return master;
}

Result<sys::UniqueFd> open_peer(int master, const ProcessPlan& process) {
  if (process.rows != 0) {
    const winsize size{process.rows, process.columns, 0, 0};
    ::ioctl(master, TIOCSWINSZ, &size);
  }
  sys::UniqueFd peer(::ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!peer) return fail_errno(errno, "open the container's terminal");
  return peer;
}

Result<TerminalPair> open_terminal(const ProcessPlan& process) {
  const sys::UniqueFd devpts = TRY(open_devpts());
  TerminalPair pair;
  sys::UniqueFd master = TRY(open_master(devpts.get()));
  pair.master = TRY(move_behind_streams(std::move(master)));
  sys::UniqueFd peer = TRY(open_peer(pair.master.get(), process));
  pair.peer = TRY(move_behind_streams(std::move(peer)));
  return pair;
}

Result<sys::UniqueFd> move_behind_streams(sys::UniqueFd fd) {
  sys::UniqueFd moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
  if (!moved) return fail_errno(errno, "arrange the terminal's descriptors");
  return moved;
}

Result<> use_terminal(int terminal, uint32_t uid) {
  TRY(give_terminal(terminal, uid));
  return control_terminal();
}

Result<> control_terminal() {
  if (::ioctl(0, TIOCSCTTY, 0) != 0) return fail_errno(errno, "take the terminal");
  return {};
}

Result<> give_terminal(int terminal, uint32_t uid) {
  if (::fchown(terminal, uid, static_cast<gid_t>(-1)) != 0)
    return fail_errno(errno, "give the terminal to the user");
  for (int fd : {0, 1, 2}) {
    if (::dup2(terminal, fd) < 0) return fail_errno(errno, "use the terminal");
  }
  return {};
}

}  // namespace berth::runtime
