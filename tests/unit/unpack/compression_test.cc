#include <gtest/gtest.h>
#include <zstd.h>

#include "unpack/decompress.h"
#include "unpack/gzip_compressor.h"
#include "unpack/sha256.h"

namespace berth::unpack {
namespace {

std::string gzip(const std::string& text) {
  std::string out;
  GzipCompressor compressor([&](std::span<const std::byte> data) -> Result<> {
    out.append(reinterpret_cast<const char*>(data.data()), data.size());
    return {};
  });
  EXPECT_TRUE(compressor.write(std::as_bytes(std::span(text))));
  EXPECT_TRUE(compressor.finish());
  return out;
}

std::string zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 1));
  return out;
}

// Feeds `input` in pieces of in_step bytes with room for out_step; "error" if it is refused.
std::string inflate(const std::string& input, size_t in_step, size_t out_step) {
  const auto all = std::as_bytes(std::span(input));
  const std::unique_ptr<Decompressor> decompressor = make_decompressor(detect_compression(all));
  std::string out;
  std::vector<std::byte> room(out_step);
  for (size_t at = 0; at < all.size();) {
    std::span<const std::byte> piece = all.subspan(at, std::min(in_step, all.size() - at));
    at += piece.size();
    while (true) {
      const Result<Decompressor::Progress> progress = decompressor->step(piece, room);
      if (!progress) return "error";
      piece = piece.subspan(progress->consumed);
      out.append(reinterpret_cast<const char*>(room.data()), progress->produced);
      if (piece.empty() && progress->produced < out_step) break;
      if (progress->consumed == 0 && progress->produced == 0) return "stuck";
    }
  }
  return decompressor->finish() ? out : "error";
}

std::string sample() {
  std::string text;
  for (unsigned i = 0; i < 40'000; ++i) text += static_cast<char>((i * i) >> (i % 11));
  return text;
}

TEST(Compression, EveryPieceSizeGivesTheSame) {
  const std::string text = sample();
  for (const std::string& packed : {gzip(text), zstd(text), gzip(text) + gzip(text), zstd(text) + zstd(text),
                                    gzip("") + gzip(text) + gzip("")}) {
    const std::string whole = inflate(packed, packed.size(), 1 << 20);
    EXPECT_TRUE(whole == text || whole == text + text);
    for (const size_t in : {size_t{1}, size_t{3}, size_t{1000}}) {
      for (const size_t out : {size_t{1}, size_t{100}, size_t{65536}})
        EXPECT_EQ(inflate(packed, in, out), whole);
    }
  }
}

TEST(Compression, ManySmallMembers) {
  std::string packed;
  std::string text;
  for (int i = 0; i < 500; ++i) {
    packed += gzip(std::to_string(i));
    text += std::to_string(i);
  }
  for (const size_t in : {size_t{1}, size_t{2}, size_t{5}, size_t{17}, size_t{4096}}) {
    EXPECT_EQ(inflate(packed, in, 65536), text) << in;
  }
}

TEST(Compression, DamageIsNoticed) {
  const std::string text = sample();
  for (std::string packed : {gzip(text), zstd(text)}) {
    EXPECT_EQ(inflate(packed.substr(0, packed.size() - 1), 4096, 4096), "error");
    EXPECT_EQ(inflate(packed.substr(0, packed.size() / 2), 4096, 4096), "error");
    EXPECT_EQ(inflate(packed + "rubbish", 4096, 4096), "error");
  }
  std::string flipped = gzip(text);
  flipped[flipped.size() - 6] ^= 1;  // the checksum
  EXPECT_EQ(inflate(flipped, 4096, 4096), "error");
}

TEST(Sha256, KnownDigest) {
  EXPECT_EQ(sha256_digest("abc"), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace berth::unpack
