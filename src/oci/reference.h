// What people call an image: "busybox", "localhost:5000/team/app:1.2", "docker.io/library/busybox@sha256:…".
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "oci/digest.h"

namespace berth::oci {

// A reference in full. A name without a registry means docker.io, and one word there means library/<word>;
// the first part is a registry if it has a dot, a colon or an upper-case letter or is "localhost" (the rule
// that every engine shares). Limits as in the distribution spec: 255 characters of name, 128 of tag.
class Reference {
 public:
  // The tag is "latest" where `text` has neither tag nor digest. Code::usage with a hint if it is no
  // reference.
  static Result<Reference> parse(std::string_view text);

  // A name without tag and digest ("busybox", "localhost:5000/app"), for --all-tags.
  static Result<Reference> parse_repository(std::string_view text);

  // "docker.io", "localhost", "127.0.0.1:5000".
  [[nodiscard]] const std::string& registry() const { return registry_; }
  // "library/busybox".
  [[nodiscard]] const std::string& repository() const { return repository_; }
  [[nodiscard]] const std::optional<std::string>& tag() const { return tag_; }
  [[nodiscard]] const std::optional<Digest>& digest() const { return digest_; }

  // "docker.io/library/busybox".
  [[nodiscard]] std::string name() const { return registry_ + "/" + repository_; }
  // All of it: "docker.io/library/busybox:latest", "docker.io/library/busybox:1@sha256:…".
  [[nodiscard]] std::string full() const;
  // As short as it can be and still be the same: "busybox:latest".
  [[nodiscard]] std::string familiar() const;

  // The same name with another tag or digest in the place of both.
  [[nodiscard]] Result<Reference> with_tag(std::string_view tag) const;
  [[nodiscard]] Reference with_digest(const Digest& digest) const;

  friend bool operator==(const Reference& a, const Reference& b) { return a.full() == b.full(); }

 private:
  Reference(std::string registry, std::string repository)
      : registry_(std::move(registry)), repository_(std::move(repository)) {}
  static Result<Reference> parse_name(std::string_view text, std::string_view name);
  std::string registry_;
  std::string repository_;
  std::optional<std::string> tag_;
  std::optional<Digest> digest_;
};

// "docker.io", the registry of a name that has none.
inline constexpr std::string_view kDefaultRegistry = "docker.io";

// Whether `text` is a registry's name: a host name, an IPv4 address or an IPv6 address in brackets, with a
// port or without.
bool is_registry_name(std::string_view text);

}  // namespace berth::oci
