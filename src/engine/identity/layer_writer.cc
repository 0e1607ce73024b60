#include "engine/identity/layer_writer.h"

#include <array>
#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sys/descriptor_path.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

constexpr size_t kMaxXattrBytes = 65536;  // the kernel's XATTR_SIZE_MAX and XATTR_LIST_MAX

bool belongs_to_overlayfs(std::string_view name) {
  return name.starts_with("trusted.overlay.") || name.starts_with("user.overlay.");
}

Result<> copy_xattr(const std::string& source, int target, const std::string& name) {
  std::vector<char> value(kMaxXattrBytes);
  const ssize_t size = ::getxattr(source.c_str(), name.c_str(), value.data(), value.size());
  if (size < 0) return errno == ENODATA ? Result<>() : fail_errno(errno, "read the attribute {}", name);
  if (::fsetxattr(target, name.c_str(), value.data(), static_cast<size_t>(size), 0) != 0) {
    return fail_errno(errno, "set the attribute {}", name);
  }
  return {};
}

Result<> copy_xattrs(int source_fd, int target) {
  // An O_PATH descriptor has no xattr calls of its own; its magic link has.
  const std::string source = sys::descriptor_path(source_fd);
  std::vector<char> names(kMaxXattrBytes);
  const ssize_t size = ::listxattr(source.c_str(), names.data(), names.size());
  if (size < 0) return errno == ENOTSUP ? Result<>() : fail_errno(errno, "list attributes");
  const std::string_view all(names.data(), static_cast<size_t>(size));
  for (size_t at = 0; at < all.size();) {
    const std::string name(all.substr(at, all.find('\0', at) - at));
    at += name.size() + 1;
    if (!belongs_to_overlayfs(name)) TRY(copy_xattr(source, target, name));
  }
  return {};
}

// Owner before mode, as a change of owner clears bits; mode before ACLs, as it would change their mask.
Result<> copy_attributes(int source, int target, mode_t mode_mask) {
  const struct stat st = TRY(sys::stat_at(source, "", AT_EMPTY_PATH));
  if (::fchown(target, st.st_uid, st.st_gid) != 0) return fail_errno(errno, "chown");
  if (::fchmod(target, st.st_mode & mode_mask) != 0) return fail_errno(errno, "chmod");
  TRY(copy_xattrs(source, target));
  const std::array<timespec, 2> times{st.st_atim, st.st_mtim};
  if (::futimens(target, times.data()) != 0) return fail_errno(errno, "set the times");
  return {};
}

}  // namespace

Result<> LayerWriter::add_file(const store::ImagePath& place, std::string_view text) {
  directories_.emplace("", true);
  for (size_t count = 1; count < place.parts.size(); ++count) {
    const std::string directory = place.prefix(count);
    if (!directories_.emplace(directory, count <= place.existing).second) continue;
    TRY(sys::ensure_dir_at(layer_.get(), directory, 0755));
  }
  const std::string path = place.text();
  const sys::UniqueFd file =
      TRY(sys::open_at(layer_.get(), path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644));
  TRY_CONTEXT(sys::write_all(file.get(), text), "{}", path);
  // The umask may have taken bits of the mode away.
  if (::fchmod(file.get(), 0644) != 0) return fail_errno(errno, "chmod {}", path);
  if (place.exists()) {
    TRY_CONTEXT(copy_attributes(place.handle.get(), file.get(), 0777), "copy the attributes of /{}", path);
  }
  if (::fsync(file.get()) != 0) return fail_errno(errno, "sync {}", path);
  return {};
}

Result<> LayerWriter::finish() {
  // Children before parents: making them done, nothing changes a parent's times any more.
  for (auto directory = directories_.rbegin(); directory != directories_.rend(); ++directory) {
    const std::string path = directory->first.empty() ? "." : directory->first;
    const sys::UniqueFd made = TRY(sys::open_at(layer_.get(), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (directory->second) {
      const std::optional<sys::UniqueFd> covered = TRY(image_.find_directory(directory->first));
      if (!covered) return fail("the image has no /{} any more", directory->first);
      TRY_CONTEXT(copy_attributes(covered->get(), made.get(), 07777), "copy the attributes of /{}",
                  directory->first);
    } else if (::fchmod(made.get(), 0755) != 0) {
      return fail_errno(errno, "chmod {}", path);
    }
    if (::fsync(made.get()) != 0) return fail_errno(errno, "sync {}", path);
  }
  return {};
}

}  // namespace berth::engine
