#include "transfer/image_files.h"

#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/file.h"
#include "transfer/file_source.h"
#include "unpack/layer_path.h"
#include "unpack/tar_reader.h"

namespace berth::transfer {

namespace {

constexpr unsigned kMostLinks = 8;
// An archive of images has a few files a layer.
constexpr uint64_t kMostEntries = 200'000;

std::unexpected<Error> not_there(const std::string& path) {
  return fail(Code::not_found, "it has no file \"{}\"", path);
}

// "a/b" of "./a//x/../b"; none if it leads out.
std::optional<std::string> plain_path(std::string_view path) {
  std::vector<std::string_view> plain;
  for (const std::string_view part : unpack::path_parts(path)) {
    if (part != "..") {
      plain.push_back(part);
    } else if (plain.empty()) {
      return std::nullopt;
    } else {
      plain.pop_back();
    }
  }
  return fmt::format("{}", fmt::join(plain, "/"));
}

// The archive's file, read in pieces; data of members is passed over.
class SeekableChunks : public unpack::ChunkSource {
 public:
  SeekableChunks(int fd, uint64_t size) : fd_(fd), size_(size) {}

  Result<std::span<const std::byte>> next() override {
    while (true) {
      const ssize_t n = ::pread(fd_, buffer_.data(), buffer_.size(), static_cast<off_t>(at_));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail_errno(errno, "read the archive");
      at_ += static_cast<uint64_t>(n);
      return std::span(buffer_).first(static_cast<size_t>(n));
    }
  }
  Result<uint64_t> skip(uint64_t bytes) override {
    const uint64_t passed = std::min(bytes, size_ - std::min(size_, at_));
    at_ += passed;
    return passed;
  }

 private:
  int fd_;
  uint64_t size_;
  uint64_t at_ = 0;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(unpack::kTarBlock * 8);
};

}  // namespace

bool DirectoryFiles::has(const std::string& path) const {
  return root_.open(path, O_PATH).has_value();
}

Result<std::string> DirectoryFiles::read(const std::string& path, size_t limit) const {
  Result<std::string> text = root_.read_file(path, limit);
  if (!text && text.error().err == ENOENT) return not_there(path);
  return text;
}

Result<std::unique_ptr<ByteSource>> DirectoryFiles::open(const std::string& path) const {
  Result<sys::UniqueFd> fd = root_.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd && fd.error().err == ENOENT) return not_there(path);
  if (!fd) return std::unexpected(std::move(fd).error());
  const struct stat st = TRY(sys::stat_at(fd->get(), "", AT_EMPTY_PATH));
  if (!S_ISREG(st.st_mode)) return fail(Code::refused, "\"{}\" is not a regular file", path);
  return std::make_unique<FileSource>(std::move(*fd));
}

Result<std::unique_ptr<ArchiveFiles>> ArchiveFiles::index(sys::UniqueFd file) {
  const struct stat st = TRY(sys::stat_at(file.get(), "", AT_EMPTY_PATH));
  std::unique_ptr<ArchiveFiles> files(new ArchiveFiles(std::move(file)));
  SeekableChunks chunks(files->file_.get(), static_cast<uint64_t>(st.st_size));
  unpack::Limits limits;
  limits.entries = kMostEntries;
  unpack::TarReader reader(chunks, limits);
  unpack::TarEntry entry;
  while (TRY(reader.next(entry))) {
    const std::optional<std::string> path = plain_path(entry.path);
    if (!path) return fail(Code::refused, "the name \"{}\" leads out of the archive", entry.path);
    if (entry.type == unpack::EntryType::file && !entry.sparse) {
      files->places_.insert_or_assign(*path, Place{reader.position(), entry.size});
    } else if (entry.type == unpack::EntryType::symlink || entry.type == unpack::EntryType::hard_link) {
      // Docker's old archives have links to layers that come twice.
      const bool relative = entry.type == unpack::EntryType::symlink && path->find('/') != std::string::npos;
      const std::string from = relative ? path->substr(0, path->rfind('/') + 1) : "";
      const std::optional<std::string> target = plain_path(from + entry.target);
      if (target) files->links_.insert_or_assign(*path, *target);
    }
  }
  return files;
}

const ArchiveFiles::Place* ArchiveFiles::find(const std::string& path) const {
  std::optional<std::string> name = plain_path(path);
  for (unsigned i = 0; name && i < kMostLinks; ++i) {
    const auto place = places_.find(*name);
    if (place != places_.end()) return &place->second;
    const auto link = links_.find(*name);
    if (link == links_.end()) return nullptr;
    name = link->second;
  }
  return nullptr;
}

bool ArchiveFiles::has(const std::string& path) const {
  return find(path) != nullptr;
}

Result<std::string> ArchiveFiles::read(const std::string& path, size_t limit) const {
  const Place* place = find(path);
  if (place == nullptr) return not_there(path);
  if (place->size > limit) {
    return fail(Code::refused, "\"{}\" has {} bytes, and at most {} are read", path, place->size, limit);
  }
  std::string text(place->size, '\0');
  FilePart part(file_.get(), place->offset, place->size);
  for (size_t have = 0; have < text.size();) {
    have += TRY(part.read(std::as_writable_bytes(std::span(text)).subspan(have)));
  }
  return text;
}

Result<std::unique_ptr<ByteSource>> ArchiveFiles::open(const std::string& path) const {
  const Place* place = find(path);
  if (place == nullptr) return not_there(path);
  return std::make_unique<FilePart>(file_.get(), place->offset, place->size);
}

}  // namespace berth::transfer
