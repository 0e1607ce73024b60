#include "unpack/blob_file.h"

#include <algorithm>

#include "sys/file.h"
#include "unpack/decompress.h"

namespace berth::unpack {

namespace {
constexpr size_t kReadSize = 256 << 10;
// A damaged blob is read to its end only for the sake of a better message.
constexpr uint64_t kWorthReading = 1ULL << 30;
}  // namespace

Result<> BlobWriter::write(std::span<const std::byte> data) {
  sha_.update(data);
  TRY_CONTEXT(sys::write_all(fd_.get(), {reinterpret_cast<const char*>(data.data()), data.size()}),
              "keep the layer's blob");
  size_ += data.size();
  return {};
}

BlobReader::BlobReader(ByteSource& source, const LayerExpectation& expected, sys::UniqueFd blob_file)
    : source_(source), expected_(expected), writer_(std::move(blob_file)), buffer_(kReadSize) {}

Result<std::span<const std::byte>> BlobReader::read() {
  // A full buffer, but for the last: small reads (a pipe) would make small chunks all the way down.
  size_t have = 0;
  while (have < buffer_.size() && !at_end_) {
    const size_t n = TRY(source_.read(std::span(buffer_).subspan(have)));
    at_end_ = n == 0;
    have += n;
    if (expected_.blob_size && received_ + have > *expected_.blob_size) {
      return fail(Code::refused, "the layer has more than the {} bytes that were announced",
                  *expected_.blob_size);
    }
  }
  received_ += have;
  const std::span<const std::byte> data = std::span(buffer_).first(have);
  if (at_end_ && expected_.blob_size && received_ < *expected_.blob_size) {
    return fail(Code::refused, "the layer ends after {} of {} bytes", received_, *expected_.blob_size);
  }
  if (!decided_ && expected_.compress && detect_compression(data) == Compression::none) {
    compressor_ = std::make_unique<GzipCompressor>(
        [this](std::span<const std::byte> compressed) { return writer_.write(compressed); });
  }
  decided_ = true;
  if (have > 0) TRY(compressor_ ? compressor_->write(data) : writer_.write(data));
  return data;
}

Result<BlobReader::Blob> BlobReader::finish() {
  if (compressor_) TRY(compressor_->finish());
  const std::string digest = writer_.digest();
  if (expected_.blob && digest != *expected_.blob) {
    return fail(Code::refused, "the layer is damaged: its digest should be {} and is {}", *expected_.blob,
                digest);
  }
  return Blob{digest, writer_.size(), compressor_ != nullptr};
}

Result<> BlobReader::explain_damage(Error damage) {
  const bool worth_it =
      expected_.blob && expected_.blob_size && *expected_.blob_size - received_ <= kWorthReading;
  while (worth_it && !TRY(read()).empty()) {
  }
  if (worth_it) TRY(finish());
  return std::unexpected(std::move(damage));
}

}  // namespace berth::unpack
