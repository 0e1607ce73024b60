#include "unpack/gzip_compressor.h"

#include <isa-l/igzip_lib.h>

namespace berth::unpack {

namespace {
constexpr size_t kOutputSize = 256 << 10;
}

GzipCompressor::GzipCompressor(Sink sink)
    : sink_(std::move(sink)),
      stream_(std::make_unique<isal_zstream>()),
      level_buffer_(ISAL_DEF_LVL1_DEFAULT),
      output_(kOutputSize) {
  isal_deflate_init(stream_.get());
  stream_->gzip_flag = IGZIP_GZIP;
  stream_->level = 1;
  stream_->level_buf = reinterpret_cast<uint8_t*>(level_buffer_.data());
  stream_->level_buf_size = static_cast<uint32_t>(level_buffer_.size());
}

GzipCompressor::~GzipCompressor() = default;

Result<> GzipCompressor::run(std::span<const std::byte> data, bool last) {
  stream_->next_in = const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(data.data()));
  stream_->avail_in = static_cast<uint32_t>(data.size());
  stream_->end_of_stream = last ? 1 : 0;
  stream_->flush = NO_FLUSH;
  while (true) {
    stream_->next_out = reinterpret_cast<uint8_t*>(output_.data());
    stream_->avail_out = static_cast<uint32_t>(output_.size());
    const int rc = isal_deflate(stream_.get());
    if (rc != COMP_OK) return fail("compress with gzip: error {}", rc);
    const size_t produced = output_.size() - stream_->avail_out;
    if (produced > 0) TRY(sink_(std::span(output_).first(produced)));
    // Room was left over, so there is nothing more to give.
    if (stream_->avail_out != 0 && stream_->avail_in == 0) return {};
  }
}

}  // namespace berth::unpack
