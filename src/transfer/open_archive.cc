#include "transfer/open_archive.h"

#include <array>
#include <cerrno>
#include <vector>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/file.h"
#include "transfer/file_source.h"

namespace berth::transfer {

namespace {

constexpr size_t kPiece = 256 << 10;

// libarchive as a decompressor: its "raw" format is the bytes inside the filters.
class FilteredSource : public ByteSource {
 public:
  explicit FilteredSource(std::unique_ptr<ByteSource> source) : source_(std::move(source)), piece_(kPiece) {}

  Result<size_t> read(std::span<std::byte> buffer) override {
    if (!archive_) TRY(open());
    if (ended_) return 0;
    const la_ssize_t n = archive_read_data(archive_.get(), buffer.data(), buffer.size());
    if (n < 0) return failed();
    ended_ = n == 0;
    return static_cast<size_t>(n);
  }

 private:
  struct Free {
    void operator()(archive* a) const { archive_read_free(a); }
  };

  Result<> open() {
    archive_.reset(archive_read_new());
    if (!archive_) return fail("out of memory");
    archive_read_support_filter_gzip(archive_.get());
    archive_read_support_filter_zstd(archive_.get());
    archive_read_support_filter_xz(archive_.get());
    archive_read_support_filter_bzip2(archive_.get());
    archive_read_support_format_raw(archive_.get());
    archive_read_support_format_empty(archive_.get());
    archive_entry* entry = nullptr;
    if (archive_read_open(archive_.get(), this, nullptr, read_piece, nullptr) != ARCHIVE_OK) return failed();
    const int rc = archive_read_next_header(archive_.get(), &entry);
    if (rc == ARCHIVE_EOF) ended_ = true;
    if (rc != ARCHIVE_OK && rc != ARCHIVE_EOF) return failed();
    return {};
  }

  std::unexpected<Error> failed() {
    if (source_error_) return std::unexpected(std::move(*source_error_));
    const char* why = archive_error_string(archive_.get());
    return fail(Code::refused, "the compressed data is damaged ({})",
                why == nullptr ? "no reason given" : why);
  }

  static la_ssize_t read_piece(archive* /*a*/, void* self_pointer, const void** data) {
    auto* self = static_cast<FilteredSource*>(self_pointer);
    Result<size_t> n = self->source_->read(self->piece_);
    if (!n) {
      self->source_error_ = std::move(n.error());
      return -1;
    }
    *data = self->piece_.data();
    return static_cast<la_ssize_t>(*n);
  }

  std::unique_ptr<ByteSource> source_;
  std::vector<std::byte> piece_;
  std::unique_ptr<archive, Free> archive_;
  std::optional<Error> source_error_;
  bool ended_ = false;
};

// "ustar" stands at 257 in every tar that is not of the seventies.
bool is_plain_tar(int fd) {
  constexpr off_t kMagicOffset = 257;
  std::array<char, 5> magic{};
  return ::pread(fd, magic.data(), magic.size(), kMagicOffset) == static_cast<ssize_t>(magic.size()) &&
         std::string_view(magic.data(), magic.size()) == "ustar";
}

}  // namespace

std::unique_ptr<ByteSource> decompressed(std::unique_ptr<ByteSource> source) {
  return std::make_unique<FilteredSource>(std::move(source));
}

Result<sys::UniqueFd> seekable_archive(const store::Store& store, sys::UniqueFd input) {
  const struct stat st = TRY(sys::stat_at(input.get(), "", AT_EMPTY_PATH));
  if (S_ISREG(st.st_mode) && is_plain_tar(input.get())) return input;
  // Never has a name, so a killed process leaves nothing.
  sys::UniqueFd spool = TRY(sys::open_at(store.root(), "tmp", O_RDWR | O_TMPFILE, 0600));
  const std::unique_ptr<ByteSource> source = decompressed(std::make_unique<FileSource>(std::move(input)));
  std::vector<std::byte> piece(kPiece);
  while (true) {
    const size_t n = TRY(source->read(piece));
    if (n == 0) break;
    TRY_CONTEXT(sys::write_all(spool.get(), {reinterpret_cast<const char*>(piece.data()), n}),
                "keep the archive");
  }
  return spool;
}

}  // namespace berth::transfer
