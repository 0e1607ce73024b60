#include "transfer/file_tree.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/accounts.h"
#include "engine/identity/identity.h"
#include "sys/file.h"
#include "sys/openat2.h"

namespace berth::transfer {

namespace {

constexpr uint64_t kInside = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
// As deep as berth unpacks (unpack/limits.h).
constexpr size_t kMaxDepth = 256;

// A file system that shows the kernel, with no end of files that say one thing now and another then: of a
// running container "/" is copied without.
bool shows_the_kernel(int directory) {
  constexpr long kMqueue = 0x19800202;  // ipc/mqueue.c
  constexpr std::array<long, 7> kTypes{
      PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, DEVPTS_SUPER_MAGIC,
      BPF_FS_MAGIC,     kMqueue};
  struct statfs fs{};
  return ::fstatfs(directory, &fs) == 0 && std::find(kTypes.begin(), kTypes.end(), fs.f_type) != kTypes.end();
}

bool has_gone(const Error& error) {
  return error.err == ENOENT || error.err == ENOTDIR || error.err == ELOOP;
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
  return path.empty() ? "." : path.substr(path.rfind('/') + 1);
}

}  // namespace

FileTree::FileTree(TreeRequest request) : request_(std::move(request)), reader_(request_.shift) {
  todo_.push_back(request_.start);
}

std::string FileTree::archive_path(const std::string& path) const {
  const std::string rest = path.substr(std::min(path.size(), request_.start.size()));
  if (request_.name.empty()) return rest.starts_with('/') ? rest.substr(1) : rest;
  return request_.name + (rest.empty() || rest.starts_with('/') ? rest : "/" + rest);
}

Result<> FileTree::open_parent(const std::string& parent) {
  if (parent_ && parent == parent_path_) return {};
  parent_ = TRY(sys::open_at2(request_.root, parent.empty() ? "." : parent,
                              O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, kInside));
  parent_path_ = parent;
  return {};
}

Result<> FileTree::push_children(const std::string& path) {
  if (std::count(path.begin(), path.end(), '/') > static_cast<ptrdiff_t>(kMaxDepth))
    return fail(Code::refused, "/{} is below {} directories", path, kMaxDepth);
  const Result<> opened = open_parent(path);
  if (!opened && has_gone(opened.error())) return {};
  if (!opened) return opened;
  if (path != request_.start && shows_the_kernel(parent_.get())) return {};
  std::vector<std::string> names = TRY(sys::list_dir(parent_.get()));
  std::sort(names.begin(), names.end(), std::greater<>());
  for (const std::string& name : names) {
    std::string child = path.empty() ? name : path + "/" + name;
    if (request_.left_out == nullptr || !request_.left_out->contains(child))
      todo_.push_back(std::move(child));
  }
  return {};
}

Result<std::optional<ArchivedFile>> FileTree::next() {
  while (!todo_.empty()) {
    const std::string path = std::move(todo_.back());
    todo_.pop_back();
    const Result<> opened = open_parent(parent_of(path));
    if (!opened && has_gone(opened.error())) continue;
    if (!opened) return std::unexpected(opened.error());
    const std::string in_archive = archive_path(path);
    std::optional<ArchivedFile> file =
        TRY_CONTEXT(reader_.read(parent_.get(), name_of(path), in_archive), "/{}", path);
    if (!file) continue;
    if (file->entry.type == unpack::EntryType::directory) {
      TRY(push_children(path));
      // The top has no name of its own.
      if (in_archive.empty()) file->entry.path = "./";
    }
    if (const auto* account = request_.own == nullptr ? nullptr : request_.own->account(path))
      TRY_CONTEXT(take_lines_out(*file, *account), "/{}", path);
    return file;
  }
  return std::optional<ArchivedFile>();
}

Result<> take_lines_out(ArchivedFile& file, const engine::AccountFile& account) {
  // A larger one, or anything else than a file, is not what the lines were added to.
  if (!file.data || file.entry.size > kMaxAccountFileBytes) return {};
  const std::string text = TRY(sys::read_all(file.data.get(), kMaxAccountFileBytes));
  file.text = engine::without_lines(text, account.added, account.original.value_or(""));
  return {};
}

}  // namespace berth::transfer
