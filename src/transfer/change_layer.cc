#include "transfer/change_layer.h"

#include <cerrno>

#include <fcntl.h>

#include "sys/openat2.h"
#include "transfer/file_tree.h"

namespace berth::transfer {

namespace {

constexpr uint64_t kInside = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
constexpr const char* kWhiteout = ".wh.";
constexpr const char* kOpaque = ".wh..wh..opq";

ArchivedFile marker(std::string path) {
  ArchivedFile file;
  file.entry.path = std::move(path);
  file.text = "";
  return file;
}

}  // namespace

Result<std::optional<ArchivedFile>> ChangeLayer::read(const engine::Change& change) {
  const size_t slash = change.path.rfind('/');
  const std::string parent = slash == std::string::npos ? "" : change.path.substr(0, slash);
  const std::string name = slash == std::string::npos ? change.path : change.path.substr(slash + 1);
  if (name.starts_with(kWhiteout))
    return fail(Code::refused, "a file of that name would remove another one from the image");
  if (change.kind == engine::ChangeKind::deleted) {
    if (change.below_opaque) return std::optional<ArchivedFile>();
    return marker((parent.empty() ? "" : parent + "/") + kWhiteout + name);
  }
  const Result<sys::UniqueFd> directory = sys::open_at2(view_.root(), parent.empty() ? "." : parent,
                                                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, kInside);
  const bool gone = !directory && (directory.error().err == ENOENT || directory.error().err == ENOTDIR ||
                                   directory.error().err == ELOOP);
  if (gone) return std::optional<ArchivedFile>();
  if (!directory) return std::unexpected(directory.error());
  std::optional<ArchivedFile> file = TRY(reader_.read(directory->get(), name, change.path));
  if (!file) return file;
  if (const engine::AccountFile* account = changes_.own.account(change.path))
    TRY(take_lines_out(*file, *account));
  if (change.opaque && file->entry.type == unpack::EntryType::directory) opaque_ = change.path;
  return file;
}

Result<std::optional<ArchivedFile>> ChangeLayer::next() {
  if (!has_root_) {
    has_root_ = true;
    return reader_.read(view_.root(), ".", ".");
  }
  if (!opaque_.empty()) return marker(std::exchange(opaque_, {}) + "/" + kOpaque);
  while (next_ < changes_.list.size()) {
    const engine::Change& change = changes_.list[next_++];
    if (change.path.empty()) continue;
    std::optional<ArchivedFile> file = TRY_CONTEXT(read(change), "/{}", change.path);
    if (file) return file;
  }
  return std::optional<ArchivedFile>();
}

}  // namespace berth::transfer
