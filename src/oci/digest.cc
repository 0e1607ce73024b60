#include "oci/digest.h"

#include <algorithm>

namespace berth::oci {

namespace {

constexpr std::string_view kSha256 = "sha256:";
constexpr std::string_view kSha512 = "sha512:";
constexpr size_t kShownInErrors = 80;

std::string hex_of(std::string_view prefix, std::span<const std::byte> hash) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(prefix);
  text.reserve(prefix.size() + 2 * hash.size());
  for (const std::byte b : hash) {
    text += kDigits[std::to_integer<size_t>(b >> 4)];
    text += kDigits[std::to_integer<size_t>(b & std::byte{0xF})];
  }
  return text;
}

}  // namespace

bool is_hex(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

Result<Digest> Digest::parse(std::string_view text) {
  const auto well_formed = [&](std::string_view prefix, size_t digits) {
    return text.starts_with(prefix) && text.size() == prefix.size() + digits &&
           is_hex(text.substr(prefix.size()));
  };
  if (well_formed(kSha256, 64)) return Digest(Algorithm::sha256, std::string(text));
  if (well_formed(kSha512, 128)) return Digest(Algorithm::sha512, std::string(text));
  return fail(Code::refused,
              "\"{}\" is not a digest: it is \"sha256:\" and 64, or \"sha512:\" and 128 lower-case "
              "hexadecimal digits",
              text.substr(0, kShownInErrors));
}

Digest Digest::sha256(std::span<const std::byte, 32> hash) {
  return {Algorithm::sha256, hex_of(kSha256, hash)};
}

Digest Digest::sha512(std::span<const std::byte, 64> hash) {
  return {Algorithm::sha512, hex_of(kSha512, hash)};
}

std::string_view Digest::algorithm_name() const {
  return algorithm_ == Algorithm::sha256 ? "sha256" : "sha512";
}

std::string_view Digest::hex() const {
  return std::string_view(text_).substr(algorithm_name().size() + 1);
}

}  // namespace berth::oci
