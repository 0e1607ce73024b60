// Looks for a key of the caller's in every keyring that a process has.
//
// Usage: keyring DESCRIPTION
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attempts.h"

int main(int argc, char** argv) {
  attack::Attempts attempts;
  if (argc != 2) return 2;
  for (const long ring : {KEY_SPEC_THREAD_KEYRING, KEY_SPEC_PROCESS_KEYRING, KEY_SPEC_SESSION_KEYRING,
                          KEY_SPEC_USER_KEYRING, KEY_SPEC_USER_SESSION_KEYRING}) {
    attempts.must_fail(::syscall(SYS_keyctl, KEYCTL_SEARCH, ring, "user", argv[1], 0),
                       "find the caller's key in keyring " + std::to_string(ring));
  }
  attempts.must_fail(::syscall(SYS_request_key, "user", argv[1], nullptr, 0), "request the caller's key");
  return attempts.finish();
}
