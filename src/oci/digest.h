// The name of a document or a blob by its content: "sha256:<hex>".
#pragma once

#include <compare>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::oci {

// A digest in its one spelling (image-spec, descriptor.md, "Digests"): a registered algorithm and lower-case
// hex of exactly that algorithm's length. So it is safe as a file name, and equal digests are equal strings.
class Digest {
 public:
  enum class Algorithm { sha256, sha512 };

  // Code::refused for anything else than the above.
  static Result<Digest> parse(std::string_view text);
  // From a hash that was computed.
  static Digest sha256(std::span<const std::byte, 32> hash);
  static Digest sha512(std::span<const std::byte, 64> hash);

  [[nodiscard]] Algorithm algorithm() const { return algorithm_; }
  [[nodiscard]] std::string_view algorithm_name() const;
  // "sha256:<hex>".
  [[nodiscard]] const std::string& str() const { return text_; }
  [[nodiscard]] std::string_view hex() const;
  // The first twelve digits, as people are shown IDs.
  [[nodiscard]] std::string_view short_hex() const { return hex().substr(0, 12); }

  friend auto operator<=>(const Digest& a, const Digest& b) { return a.text_ <=> b.text_; }
  friend bool operator==(const Digest& a, const Digest& b) { return a.text_ == b.text_; }

 private:
  Digest(Algorithm algorithm, std::string text) : algorithm_(algorithm), text_(std::move(text)) {}
  Algorithm algorithm_;
  std::string text_;
};

// Whether `text` is nothing but lower-case hexadecimal digits (at least one).
bool is_hex(std::string_view text);

}  // namespace berth::oci
