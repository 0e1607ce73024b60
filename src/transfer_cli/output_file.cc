#include "transfer_cli/output_file.h"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "sys/descriptor_path.h"
#include "sys/file.h"

namespace berth::transfer_cli {

namespace {

// By its directory as that was at the beginning: the process may be in another mount namespace at the end,
// and a file gets no name by another mount than its own.
struct Place {
  sys::UniqueFd directory;
  std::string name;
  [[nodiscard]] std::string unfinished() const { return fmt::format("{}.{}.part", name, ::getpid()); }
};

Result<Place> place_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  Place place{.directory = TRY(sys::open_at(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY)),
              .name = slash == std::string::npos ? path : path.substr(slash + 1)};
  if (place.name.empty()) return fail_errno(EISDIR, "it is a directory");
  return place;
}

Result<> take_place(const Place& place) {
  if (::renameat(place.directory.get(), place.unfinished().c_str(), place.directory.get(),
                 place.name.c_str()) == 0)
    return {};
  const int err = errno;
  ::unlinkat(place.directory.get(), place.unfinished().c_str(), 0);
  return fail_errno(err, "make {}", place.name);
}

// Gives what has no name yet one.
Result<> name_file(const Place& place, int fd) {
  const std::string file = sys::descriptor_path(fd);
  const auto link = [&](const std::string& name) {
    return ::linkat(AT_FDCWD, file.c_str(), place.directory.get(), name.c_str(), AT_SYMLINK_FOLLOW) == 0;
  };
  if (link(place.name)) return {};
  if (errno == EEXIST && link(place.unfinished())) return take_place(place);
  return fail_errno(errno, "make {}", place.name);
}

Result<> write_named(const Place& place, mode_t mode, const std::function<Result<>(int fd)>& write) {
  const sys::UniqueFd fd = TRY(sys::open_at(place.directory.get(), place.unfinished(),
                                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode));
  Result<> written = write(fd.get());
  if (written) return take_place(place);
  ::unlinkat(place.directory.get(), place.unfinished().c_str(), 0);
  return written;
}

}  // namespace

Result<> write_output(const std::string& path, mode_t mode, const std::function<Result<>(int fd)>& write) {
  struct stat st{};
  if (::stat(path.c_str(), &st) == 0 && !S_ISREG(st.st_mode)) {
    const sys::UniqueFd fd = TRY(sys::open_at(AT_FDCWD, path, O_WRONLY));
    return write(fd.get());
  }
  const Place place = TRY_CONTEXT(place_of(path), "make {}", path);
  const Result<sys::UniqueFd> fd = sys::open_at(place.directory.get(), ".", O_WRONLY | O_TMPFILE, mode);
  const int why = fd ? 0 : fd.error().err;
  // Of the file system, or of a kernel before 3.11 (open(2)).
  if (why == EOPNOTSUPP || why == EISDIR || why == ENOENT || why == EINVAL)
    return write_named(place, mode, write);
  if (!fd) return fail_errno(why, "make {}", path);
  TRY(write(fd->get()));
  fault::point("output-written");
  return name_file(place, fd->get());
}

}  // namespace berth::transfer_cli
