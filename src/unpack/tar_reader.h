// Reads a tar archive from a stream of chunks: ustar, pax and GNU, with long names, extended attributes and
// all forms of sparse files. Only parses: what an entry may do to a file system is layer_tree's matter.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <span>
#include <string>

#include "base/error.h"
#include "unpack/limits.h"
#include "unpack/tar_entry.h"
#include "unpack/tar_header.h"

namespace berth::unpack {

// Bytes in pieces of the source's choosing.
class ChunkSource {
 public:
  ChunkSource() = default;
  ChunkSource(const ChunkSource&) = delete;
  ChunkSource& operator=(const ChunkSource&) = delete;
  virtual ~ChunkSource() = default;
  // The next piece, good until the next call; empty at the end.
  virtual Result<std::span<const std::byte>> next() = 0;
  // Passes over at most `bytes` without reading them, where that is possible; gives how many.
  virtual Result<uint64_t> skip(uint64_t bytes) {
    (void)bytes;
    return 0;
  }
};

class TarReader {
 public:
  TarReader(ChunkSource& source, const Limits& limits) : source_(source), limits_(limits) {}

  // The next entry; false at the end of the archive. Data of the entry before that was not read is skipped.
  // pax global headers are passed over, as Docker and podman do. An error is Code::refused unless the source
  // failed.
  Result<bool> next(TarEntry& entry);

  // A piece of the file's data and where in the file it belongs; empty at the end of the data. Good until the
  // next call.
  struct Data {
    uint64_t offset = 0;
    std::span<const std::byte> bytes;
  };
  Result<Data> read_data();

  // How many bytes of the archive lie before what is read next.
  [[nodiscard]] uint64_t position() const { return position_; }

  // Reads what follows the end of the archive to the source's end.
  Result<> drain();

 private:
  using PaxRecords = std::map<std::string, std::string, std::less<>>;
  struct Extensions {
    PaxRecords pax;
    std::vector<std::pair<std::string, std::string>> xattrs;
    std::vector<std::string> sparse_numbers;  // of the repeated GNU.sparse.offset and .numbytes (0.0)
    std::string long_path;
    std::string long_target;
    size_t room = 0;  // for more of them, in bytes
  };

  Result<bool> fill();  // makes chunk_ non-empty; false at the end of the source
  Result<bool> read_block(std::array<std::byte, kTarBlock>& block);
  Result<std::string> read_text(uint64_t size, size_t limit, std::string_view what);
  Result<> skip(uint64_t bytes);
  Result<bool> skip_padding();
  Result<> read_pax(uint64_t size, Extensions& extensions);
  Result<> make_entry(const TarHeader& header, Extensions& extensions, TarEntry& entry);
  Result<> apply_pax(Extensions& extensions, TarHeader& header, TarEntry& entry);
  Result<> read_gnu_sparse(std::span<const std::byte, kTarBlock> block, TarEntry& entry);
  Result<> read_pax_sparse(const Extensions& extensions, TarEntry& entry);
  Result<> read_sparse_map_1_0(TarEntry& entry);
  Result<> check_sparse(const TarEntry& entry);
  Result<> add_segment(TarEntry& entry, uint64_t offset, uint64_t length);

  ChunkSource& source_;
  const Limits& limits_;
  void consume(size_t bytes);
  std::span<const std::byte> chunk_;
  uint64_t position_ = 0;
  uint64_t entries_ = 0;
  uint64_t data_left_ = 0;  // of the current entry, in the archive
  uint64_t padding_ = 0;    // after it
  std::vector<Segment> segments_;
  size_t segment_ = 0;         // that the next data belongs to
  uint64_t segment_done_ = 0;  // bytes of it
};

}  // namespace berth::unpack
