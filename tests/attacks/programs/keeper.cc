// Tries to write to what it was given open for reading as descriptor 9 (loader.cc). A file that is only busy
// is no defence: whoever waits until nobody executes it any more can write to it, unless its mount is
// read-only.
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "attempts.h"

int main() {
  constexpr const char* kGiven = "/proc/self/fd/9";
  attack::Attempts attempts;
  struct statvfs mount{};
  const bool read_only = ::statvfs(kGiven, &mount) == 0 && (mount.f_flag & ST_RDONLY) != 0;
  for (const int how : {O_WRONLY, O_RDWR, O_WRONLY | O_TRUNC}) {
    const int fd = ::open(kGiven, how | O_CLOEXEC);
    attempts.must_hold(fd < 0 && (errno != ETXTBSY || read_only),
                       "open the program that was executed for writing");
  }
  return attempts.finish();
}
