// Stands in an image in the place of the dynamic loader. Whatever dynamic program of the host's is executed
// in the container then executes this one, in a process whose /proc/self/exe is that program (CVE-2019-5736).
// It keeps it open and executes /keeper, which tries to write to it once nobody executes it any more.
//
// Free-standing: as a loader it can't have one itself, and what a C library looks at is the other program's.
#include <asm/unistd.h>
#include <fcntl.h>

#include "../../../src/init/system_call.h"

namespace {

const char kKeeper[] = "/keeper";
const char kOwn[] = "/proc/self/exe";
const char* const kWords[] = {kKeeper, nullptr};
const char* const kEnvironment[] = {nullptr};

}  // namespace

extern "C" [[noreturn]] void berth_init_main(long* /*stack*/) {
  // 9, which /keeper knows.
  const long fd = system_call(__NR_openat, AT_FDCWD, kOwn, O_RDONLY, 0);
  constexpr int kKnown = 9;
  system_call(__NR_dup3, fd, kKnown, 0);
  system_call(__NR_execve, kKeeper, kWords, kEnvironment);
  while (true) system_call(__NR_exit_group, 1);
}
