// Swaps a directory and a link in one step, for ever: the other side of a race.
//
// Usage: renamer DIRECTORY LINK
#include <cstdio>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  constexpr unsigned kExchange = 2;  // RENAME_EXCHANGE
  std::printf("started\n");
  std::fflush(stdout);
  while (::syscall(SYS_renameat2, AT_FDCWD, argv[1], AT_FDCWD, argv[2], kExchange) == 0) {
  }
  std::perror("renameat2");
  return 1;
}
