#include "transfer/copy.h"

#include <memory>
#include <optional>

#include <fcntl.h>
#include <unistd.h>

#include "engine/container/announce.h"
#include "engine/container/status.h"
#include "engine/create.h"
#include "engine/files/container_view.h"
#include "sys/file.h"
#include "transfer/copy_places.h"
#include "transfer/export.h"
#include "transfer/file_source.h"
#include "transfer/file_tree.h"
#include "transfer/open_archive.h"
#include "transfer/tree_writer.h"

namespace berth::transfer {

namespace {

constexpr const char* kStream = "-";

// A container of the copy; its record and its files.
struct Container {
  store::ContainerRecord record;
  engine::ContainerRoot root;
};

Result<Container> open_container(store::Store& store, const std::string& name) {
  store::ContainerRecord record = TRY(store::find_container(store.db(), name));
  if (engine::live_status(store, record.id)) {
    engine::ContainerRoot root = TRY(engine::ContainerRoot::of_running(store, record));
    return Container{std::move(record), std::move(root)};
  }
  engine::LockedContainer locked = TRY(engine::lock_container(store, record));
  engine::ContainerRoot root =
      TRY(engine::ContainerRoot::of_stopped(store, locked.record, std::move(locked.lock)));
  return Container{std::move(locked.record), std::move(root)};
}

// One file, or a link.
class SingleFile : public FileSequence {
 public:
  SingleFile(sys::UniqueFd handle, std::string name, std::optional<idmap::Shift> shift)
      : handle_(std::move(handle)), name_(std::move(name)), reader_(std::move(shift)) {}
  Result<std::optional<ArchivedFile>> next() override {
    if (!handle_) return std::optional<ArchivedFile>();
    const sys::UniqueFd handle = std::move(handle_);
    return reader_.read_open(handle.get(), name_);
  }

 private:
  sys::UniqueFd handle_;
  std::string name_;
  FileReader reader_;
};

Result<std::unique_ptr<ByteSource>> open_stream(const CopySpace& space, CopySource source, std::string name) {
  std::optional<idmap::Shift> shift;
  if (space.container() != nullptr) shift = space.container()->to_inside();
  if (!source.is_directory())
    return std::make_unique<TarStream>(
        std::make_unique<SingleFile>(std::move(source.handle), std::move(name), std::move(shift)));
  // The descriptor lives as long as the sequence that reads from it.
  class Tree : public FileSequence {
   public:
    Tree(sys::UniqueFd root, std::string its_name, std::optional<idmap::Shift> its_shift)
        : root_(std::move(root)),
          tree_({.root = root_.get(), .name = std::move(its_name), .shift = std::move(its_shift)}) {}
    Result<std::optional<ArchivedFile>> next() override { return tree_.next(); }

   private:
    sys::UniqueFd root_;
    FileTree tree_;
  };
  sys::UniqueFd root = TRY(sys::open_at(source.handle.get(), ".", O_RDONLY | O_DIRECTORY));
  return std::make_unique<TarStream>(
      std::make_unique<Tree>(std::move(root), std::move(name), std::move(shift)));
}

Result<Owner> owner_of(const CopySpace& space, const unpack::TarEntry& entry, bool archive) {
  const engine::ContainerRoot* container = space.container();
  if (container == nullptr) return archive ? Owner{entry.uid, entry.gid} : Owner{::geteuid(), ::getegid()};
  const HostUid uid = TRY(container->user(archive ? entry.uid : 0));
  const HostGid gid = TRY(container->group(archive ? entry.gid : 0));
  return Owner{uid.value(), gid.value()};
}

Result<> write_to(const CopySpace& space, CopyTarget target, ByteSource& tar, const CopyRequest& request) {
  std::optional<sys::ScopedFsIds> ids;
  if (space.container() != nullptr) ids.emplace(TRY(space.container()->as_its_root()));
  WritePolicy policy{
      .owner = [&](const unpack::TarEntry& entry) { return owner_of(space, entry, request.archive); },
      .keep_setid = space.container() != nullptr,
      .change_directories = request.archive,
      .overwrite = request.overwrite};
  TreeWriter writer(std::move(target.directory), std::move(policy));
  Result<> written = write_tree(tar, writer);
  if (!written && written.error().err == EROFS && space.container() != nullptr)
    written.error().hint =
        "Host directories, and a root file system with --read-only, are not written to; copy to the host's "
        "directory itself.";
  return written;
}

Result<std::unique_ptr<ByteSource>> standard_input() {
  sys::UniqueFd input(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  if (!input) return fail_errno(errno, "read standard input");
  return decompressed(std::make_unique<FileSource>(std::move(input)));
}

Result<> copy_between(const CopySpace& from, const CopySpace& to, const CopyRequest& request) {
  if (request.from.container.empty() && request.from.path == kStream) {
    CopyTarget target = TRY(find_directory(to, request.to.path));
    const std::unique_ptr<ByteSource> tar = TRY(standard_input());
    return write_to(to, std::move(target), *tar, request);
  }
  CopySource source = TRY(find_source(from, request.from.path, request.follow));
  if (request.to.container.empty() && request.to.path == kStream) {
    std::string name = source.contents ? "" : source.name;
    const std::unique_ptr<ByteSource> tar = TRY(open_stream(from, std::move(source), std::move(name)));
    return write_stream(*tar, STDOUT_FILENO);
  }
  CopyTarget target = TRY(find_target(to, request.to.path, source, request.overwrite));
  const std::unique_ptr<ByteSource> tar = TRY(open_stream(from, std::move(source), target.name));
  return write_to(to, std::move(target), *tar, request);
}

}  // namespace

CopyEnd parse_copy_end(const std::string& word) {
  const size_t colon = word.find(':');
  const bool host = word.empty() || word[0] == '/' || word[0] == '.' || colon == std::string::npos;
  if (host || colon == 0) return {{}, word};
  return {word.substr(0, colon), word.substr(colon + 1)};
}

Result<> copy_files(store::Store& store, const CopyRequest& request) {
  TRY(engine::leave_mount_namespace());
  std::optional<Container> from;
  std::optional<Container> to;
  if (!request.from.container.empty()) from.emplace(TRY(open_container(store, request.from.container)));
  const Container* target = nullptr;
  if (!request.to.container.empty()) {
    const store::ContainerRecord record = TRY(store::find_container(store.db(), request.to.container));
    const bool same = from && from->record.id == record.id;
    if (!same) to.emplace(TRY(open_container(store, request.to.container)));
    target = same ? &*from : &*to;
  }
  const CopySpace source_space(from ? &from->root : nullptr);
  const CopySpace target_space(target == nullptr ? nullptr : &target->root);
  TRY(copy_between(source_space, target_space, request));
  engine::announce(store, target == nullptr ? from->record : target->record, events::kCopy);
  return {};
}

}  // namespace berth::transfer
