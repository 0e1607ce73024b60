// The way of a layer's bytes: decompression, tar entries, names. The first byte says how they are cut into
// pieces.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "unpack/decompress.h"
#include "unpack/layer_path.h"
#include "unpack/tar_reader.h"

namespace {

using namespace berth::unpack;

constexpr size_t kMost = 1 << 22;

// What `input` is uncompressed, as far as it goes.
std::vector<std::byte> inflated(std::span<const std::byte> input) {
  const auto decompressor = make_decompressor(detect_compression(input));
  std::vector<std::byte> out;
  std::vector<std::byte> room(4096);
  while (out.size() < kMost) {
    const auto progress = decompressor->step(input, room);
    if (!progress) break;
    if (progress->consumed > input.size() || progress->produced > room.size()) std::abort();
    input = input.subspan(progress->consumed);
    out.insert(out.end(), room.begin(), room.begin() + static_cast<ptrdiff_t>(progress->produced));
    if (progress->produced < room.size() && (input.empty() || progress->consumed + progress->produced == 0))
      break;
  }
  return out;
}

class Pieces : public ChunkSource {
 public:
  Pieces(std::span<const std::byte> data, size_t step) : data_(data), step_(step) {}
  berth::Result<std::span<const std::byte>> next() override {
    const auto piece = data_.first(std::min(step_, data_.size()));
    data_ = data_.subspan(piece.size());
    return piece;
  }

 private:
  std::span<const std::byte> data_;
  size_t step_;
};

void read(std::span<const std::byte> data, size_t step) {
  Limits limits;
  limits.entries = 1000;
  Pieces pieces(data, step);
  TarReader reader(pieces, limits);
  TarEntry entry;
  while (true) {
    const auto more = reader.next(entry);
    if (!more || !*more) break;
    if (entry.path.find('\0') != std::string::npos || entry.uid == UINT32_MAX || entry.gid == UINT32_MAX)
      std::abort();
    const auto path = parse_layer_path(entry.path, limits);
    if (path && (path->name == ".." || path->name == "." || path->name.find('/') != std::string::npos))
      std::abort();
    while (true) {
      const auto piece = reader.read_data();
      if (!piece || piece->bytes.empty()) break;
      if (piece->offset > entry.size || piece->bytes.size() > entry.size - piece->offset) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data, size)).subspan(1);
  read(inflated(bytes), size_t{data[0]} * 7 + 1);
  return 0;
}
