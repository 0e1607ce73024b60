#include "transfer_cli/output_file.h"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/file.h"

namespace berth::transfer_cli {

Result<> write_output(const std::string& path, mode_t mode, const std::function<Result<>(int fd)>& write) {
  struct stat st{};
  if (::stat(path.c_str(), &st) == 0 && !S_ISREG(st.st_mode)) {
    const sys::UniqueFd fd = TRY(sys::open_at(AT_FDCWD, path, O_WRONLY));
    return write(fd.get());
  }
  const std::string unfinished = fmt::format("{}.{}.part", path, ::getpid());
  const sys::UniqueFd fd = TRY(sys::open_at(AT_FDCWD, unfinished, O_WRONLY | O_CREAT | O_EXCL, mode));
  Result<> written = write(fd.get());
  if (written && ::rename(unfinished.c_str(), path.c_str()) != 0)
    written = fail_errno(errno, "make {}", path);
  if (!written) ::unlink(unfinished.c_str());
  return written;
}

}  // namespace berth::transfer_cli
