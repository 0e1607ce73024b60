// Makes a session keyring of a name that somebody else may want to have, open to all, with a key in it. Or,
// without a name, looks whether it has been caught in one.
//
// Usage: keyring_trap DESCRIPTION [NAME]
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attempts.h"

namespace {

int lay(const char* description, const char* name) {
  constexpr unsigned long kAllToAll = 0x3f3f3f3f;
  const long ring = ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
  if (ring < 0 || ::syscall(SYS_add_key, "user", description, "bait", 4, ring) < 0 ||
      ::syscall(SYS_keyctl, KEYCTL_SETPERM, ring, kAllToAll) < 0) {
    std::perror("keyctl");
    return 1;
  }
  std::puts("laid");
  std::fflush(stdout);
  ::pause();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) return lay(argv[1], argv[2]);
  if (argc != 2) return 2;
  attack::Attempts attempts;
  attempts.must_fail(::syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", argv[1], 0),
                     "find the other container's key in the session keyring");
  return attempts.finish();
}
