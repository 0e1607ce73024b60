#include "sys/sealed_program.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fields.h"
#include "sys/descriptor_path.h"
#include "sys/file.h"
#include "sys/mount_api.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U  // Linux 6.3; older headers do not have it
#endif

namespace berth::sys {

namespace {
constexpr size_t kLargestProgram = 64U << 20;
constexpr mode_t kExecutable = 0755;

UniqueFd own_mount;  // which this program is executed from

// Through a mount that is read-only and nowhere attached: who executes it can't open it again for writing by
// /proc/PID/exe, whatever he may do to the file.
Result<UniqueFd> open_read_only(const std::string& path) {
  const UniqueFd file = TRY(open_at(AT_FDCWD, path, O_PATH));
  const UniqueFd mount = TRY(clone_tree(file.get(), "", false));
  TRY(set_attributes(mount.get(), MOUNT_ATTR_RDONLY, 0, false));
  return open_at(AT_FDCWD, descriptor_path(mount.get()), O_RDONLY);
}

// Within the kernel: where there are no read-only mounts to be had, every command begins with it.
Result<> copy_program(int from, int to) {
  for (size_t copied = 0; copied <= kLargestProgram;) {
    const ssize_t n = ::sendfile(to, from, nullptr, kLargestProgram);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, "read it");
    if (n == 0) return {};
    copied += static_cast<size_t>(n);
  }
  return fail(Code::refused, "it is longer than {} bytes", kLargestProgram);
}

}  // namespace

Result<UniqueFd> open_sealed_program(const std::string& path) {
  UniqueFd file = TRY(open_at(AT_FDCWD, path, O_RDONLY));
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  UniqueFd memory(::memfd_create("berth-init", flags | MFD_EXEC));
  if (!memory && errno == EINVAL) memory.reset(::memfd_create("berth-init", flags));  // before Linux 6.3
  if (!memory && errno == EACCES) return open_read_only(path);
  if (!memory) return fail_errno(errno, "make a memory file for {}", path);
  TRY_CONTEXT(copy_program(file.get(), memory.get()), "copy {}", path);
  if (::fchmod(memory.get(), kExecutable) != 0) return fail_errno(errno, "chmod the copy of {}", path);
  if (::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
    return fail_errno(errno, "seal the copy of {}", path);
  }
  return memory;
}

Result<> run_from_read_only(char** argv) {
  const UniqueFd own = TRY(open_at(AT_FDCWD, "/proc/self/exe", O_RDONLY));
  struct statvfs mount{};
  if (::fstatvfs(own.get(), &mount) != 0) return fail_errno(errno, "look at the own program");
  const int seals = ::fcntl(own.get(), F_GET_SEALS);
  if ((mount.f_flag & ST_RDONLY) != 0 || (seals >= 0 && (seals & F_SEAL_WRITE) != 0)) return {};
  Result<UniqueFd> program = open_read_only("/proc/self/exe");
  if (!program) program = open_sealed_program("/proc/self/exe");
  if (!program) return std::unexpected(program.error());
  ::syscall(SYS_execveat, program->get(), "", argv, environ, AT_EMPTY_PATH);
  return fail_errno(errno, "execute {} again", argv[0]);
}

void keep_own_mount() {
  constexpr std::string_view kByDescriptor = "/dev/fd/";  // as execveat(2) names what it executes
  constexpr int kOutOfTheWay = 100;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel hands the address over as a number
  const auto* executed = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
  if (executed == nullptr || !std::string_view(executed).starts_with(kByDescriptor)) return;
  const auto number = whole_number<int>(std::string_view(executed).substr(kByDescriptor.size()));
  struct stat named{};
  struct stat own{};
  if (!number || ::fstat(*number, &named) != 0 || ::stat("/proc/self/exe", &own) != 0) return;
  if (named.st_dev != own.st_dev || named.st_ino != own.st_ino) return;
  own_mount.reset(::fcntl(*number, F_DUPFD_CLOEXEC, kOutOfTheWay));
  ::close(*number);
}

void let_own_mount_go() {
  own_mount.reset();
}

Result<UniqueFd> make_memory_file(const std::string& name, std::string_view content) {
  UniqueFd memory(::memfd_create(name.c_str(), MFD_CLOEXEC));
  if (!memory) return fail_errno(errno, "make a memory file");
  TRY(write_all(memory.get(), content));
  if (::lseek(memory.get(), 0, SEEK_SET) != 0) return fail_errno(errno, "rewind a memory file");
  return memory;
}

}  // namespace berth::sys
