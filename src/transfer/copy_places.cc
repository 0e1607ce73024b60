#include "transfer/copy_places.h"

#include <array>
#include <cerrno>
#include <climits>
#include <optional>

#include <fcntl.h>
#include <unistd.h>

#include "sys/file.h"

namespace berth::transfer {

namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY;

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

struct Parts {
  std::string parent;  // never empty
  std::string name;
};

Parts split(const std::string& path) {
  const std::string whole = without_slashes(path);
  const size_t slash = whole.rfind('/');
  if (slash == std::string::npos) return {".", whole};
  return {slash == 0 ? "/" : whole.substr(0, slash), whole.substr(slash + 1)};
}

bool is_name(std::string_view name) {
  return !name.empty() && name != "." && name != "..";
}

Result<std::optional<std::string>> link_at(int directory, const std::string& name) {
  std::array<char, PATH_MAX> text{};
  const ssize_t length = ::readlinkat(directory, name.c_str(), text.data(), text.size());
  if (length >= 0) return std::string(text.data(), static_cast<size_t>(length));
  if (errno == EINVAL || errno == ENOENT) return std::nullopt;
  return fail_errno(errno, "read the link {}", name);
}

// The place that a path means for a file that is to be made there: the end of its links, if the last name is
// one.
Result<CopyTarget> last_place(const CopySpace& space, std::string path) {
  constexpr int kMostLinks = 40;  // as the kernel has it
  for (int links = 0; links <= kMostLinks; ++links) {
    const Parts parts = split(path);
    if (!is_name(parts.name)) return fail(Code::usage, "{} is no name for a file", path);
    Result<sys::UniqueFd> parent = space.open(parts.parent, kDirectory);
    if (!parent && parent.error().err == ENOENT)
      return fail(Code::not_found, "there is no directory {}", parts.parent);
    if (!parent) return std::unexpected(parent.error());
    const std::optional<std::string> link = TRY(link_at(parent->get(), parts.name));
    if (!link) return CopyTarget{std::move(*parent), parts.name};
    path = link->starts_with('/') ? *link : parts.parent + "/" + *link;
  }
  return fail_errno(ELOOP, "follow {}", path);
}

}  // namespace

Result<sys::UniqueFd> CopySpace::open(const std::string& path, int flags) const {
  if (root_ == nullptr) return sys::open_at(AT_FDCWD, path, flags);
  return root_->root().open(path, flags);
}

Result<CopySource> find_source(const CopySpace& space, const std::string& path, bool follow) {
  const bool slash = path.ends_with('/');
  CopySource source;
  source.contents = path == "." || path.ends_with("/.");
  source.name = split(source.contents ? path.substr(0, path.size() - 1) : path).name;
  if (!is_name(source.name)) {
    source.name.clear();
    source.contents = true;
  }
  const bool through = follow || slash || source.contents;
  Result<sys::UniqueFd> handle = space.open(path, O_PATH | (through ? 0 : O_NOFOLLOW));
  if (!handle && handle.error().err == ENOENT) return fail(Code::not_found, "there is no {}", path);
  if (!handle) return std::unexpected(handle.error());
  source.handle = std::move(*handle);
  source.attributes = TRY(sys::stat_at(source.handle.get(), "", AT_EMPTY_PATH));
  if ((slash || source.contents) && !source.is_directory())
    return fail(Code::usage, "{} is not a directory", path);
  const mode_t mode = source.attributes.st_mode;
  if (S_ISCHR(mode) || S_ISBLK(mode) || S_ISSOCK(mode))
    return fail(Code::refused, "{} is a {}, which is not copied", path, S_ISSOCK(mode) ? "socket" : "device");
  return source;
}

Result<CopyTarget> find_target(const CopySpace& space, const std::string& path, const CopySource& source,
                               bool overwrite) {
  const Result<sys::UniqueFd> there = space.open(path, O_PATH);
  if (!there && there.error().err != ENOENT) return std::unexpected(there.error());
  if (!there) {
    if (path.ends_with('/') && !source.is_directory())
      return fail(Code::not_found, "there is no directory {}", path);
    return last_place(space, path);
  }
  const struct stat st = TRY(sys::stat_at(there->get(), "", AT_EMPTY_PATH));
  if (S_ISDIR(st.st_mode)) {
    CopyTarget target{TRY(sys::open_at(there->get(), ".", kDirectory)), source.name};
    if (source.contents) target.name.clear();
    return target;
  }
  if (path.ends_with('/')) return fail(Code::usage, "{} is not a directory", path);
  if (source.is_directory() && !overwrite) {
    Error error = fail(Code::conflict, "{} is a file, and the source a directory", path).error();
    return std::unexpected(std::move(error).with_hint("--overwrite puts the directory in its place."));
  }
  return last_place(space, path);
}

Result<CopyTarget> find_directory(const CopySpace& space, const std::string& path) {
  return CopyTarget{TRY_CONTEXT(space.open(path, kDirectory), "a tar is unpacked into a directory"), {}};
}

}  // namespace berth::transfer
