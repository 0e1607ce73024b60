#include "unpack/decompress.h"

#include <algorithm>
#include <cstring>
#include <new>

#include <isa-l/igzip_lib.h>
#include <zstd.h>

namespace berth::unpack {

namespace {

class Plain : public Decompressor {
 public:
  Result<Progress> step(std::span<const std::byte> input, std::span<std::byte> output) override {
    const size_t n = std::min(input.size(), output.size());
    if (n > 0) std::memcpy(output.data(), input.data(), n);
    return Progress{n, n};
  }
  Result<> finish() override { return {}; }
};

class Gzip : public Decompressor {
 public:
  Gzip() : state_(std::make_unique<inflate_state>()) { begin_member(); }

  Result<Progress> step(std::span<const std::byte> input, std::span<std::byte> output) override {
    if (between_members_) {
      if (input.empty()) return Progress{};
      begin_member();
    }
    state_->next_in = const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(input.data()));
    state_->avail_in = static_cast<uint32_t>(input.size());
    state_->next_out = reinterpret_cast<uint8_t*>(output.data());
    state_->avail_out = static_cast<uint32_t>(output.size());
    const int rc = isal_inflate(state_.get());
    if (rc < 0 || rc == ISAL_NEED_DICT) return fail(Code::refused, "the gzip data is damaged");
    if (state_->block_state == ISAL_BLOCK_FINISH) between_members_ = true;
    return Progress{input.size() - state_->avail_in, output.size() - state_->avail_out};
  }

  Result<> finish() override {
    if (!between_members_) return fail(Code::refused, "the gzip data ends in the middle");
    return {};
  }

 private:
  void begin_member() {
    isal_inflate_init(state_.get());
    state_->crc_flag = ISAL_GZIP;
    between_members_ = false;
  }
  std::unique_ptr<inflate_state> state_;
  bool between_members_ = false;
};

class Zstd : public Decompressor {
 public:
  Zstd() : context_(ZSTD_createDCtx()) {
    if (!context_) throw std::bad_alloc();
  }

  Result<Progress> step(std::span<const std::byte> input, std::span<std::byte> output) override {
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer out{output.data(), output.size(), 0};
    const size_t rc = ZSTD_decompressStream(context_.get(), &out, &in);
    if (ZSTD_isError(rc) != 0U) {
      return fail(Code::refused, "the zstd data is damaged ({})", ZSTD_getErrorName(rc));
    }
    // 0 at the end of a frame; a call without any input tells nothing new.
    if (in.pos > 0 || out.pos > 0) between_frames_ = rc == 0;
    return Progress{in.pos, out.pos};
  }

  Result<> finish() override {
    if (!between_frames_) return fail(Code::refused, "the zstd data ends in the middle");
    return {};
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> context_;
  bool between_frames_ = false;
};

}  // namespace

Compression detect_compression(std::span<const std::byte> begin) {
  const auto starts_with = [&](std::string_view magic) {
    return begin.size() >= magic.size() && std::memcmp(begin.data(), magic.data(), magic.size()) == 0;
  };
  if (starts_with("\x1f\x8b")) return Compression::gzip;
  if (starts_with("\x28\xb5\x2f\xfd")) return Compression::zstd;
  return Compression::none;
}

std::string_view name_of(Compression compression) {
  switch (compression) {
    case Compression::none:
      return "none";
    case Compression::gzip:
      return "gzip";
    case Compression::zstd:
      return "zstd";
  }
  return "none";
}

std::string layer_media_type(Compression compression) {
  constexpr std::string_view kTar = "application/vnd.oci.image.layer.v1.tar";
  if (compression == Compression::none) return std::string(kTar);
  return fmt::format("{}+{}", kTar, name_of(compression));
}

std::unique_ptr<Decompressor> make_decompressor(Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return std::make_unique<Gzip>();
    case Compression::zstd:
      return std::make_unique<Zstd>();
    case Compression::none:
      break;
  }
  return std::make_unique<Plain>();
}

}  // namespace berth::unpack
