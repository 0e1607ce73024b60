#include "oci/reference.h"

#include <algorithm>

namespace berth::oci {

namespace {

constexpr std::string_view kLegacyDefaultRegistry = "index.docker.io";
constexpr std::string_view kOfficial = "library/";
constexpr size_t kMaxName = 255;
constexpr size_t kMaxTag = 128;
constexpr size_t kMaxPort = 65535;
// A name, a tag, a sha512 digest and the signs between them.
constexpr size_t kMaxReference = kMaxName + kMaxTag + 140;

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alphanumeric(char c) {
  return is_lower(c) || is_upper(c) || is_digit(c);
}

template <typename Predicate>
bool all_of(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

std::unexpected<Error> malformed(std::string_view text, std::string_view why) {
  Error error{Code::usage, 0,
              fmt::format("\"{}\" is not an image reference: {}", text.substr(0, kMaxReference), why),
              "A reference looks like busybox, busybox:1.36 or registry.example:5000/team/app@sha256:…"};
  return std::unexpected(std::move(error));
}

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || !all_of(text, is_digit)) return false;
  size_t port = 0;
  for (const char c : text) port = port * 10 + static_cast<size_t>(c - '0');
  return port > 0 && port <= kMaxPort;
}

// One label of a host name: letters, digits and inner hyphens.
bool is_host_label(std::string_view label) {
  return !label.empty() && label.front() != '-' && label.back() != '-' &&
         all_of(label, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

bool is_bracketed_ipv6(std::string_view host) {
  if (host.size() < 4 || host.front() != '[' || host.back() != ']') return false;
  const std::string_view inner = host.substr(1, host.size() - 2);
  return inner.find(':') != std::string_view::npos && all_of(inner, [](char c) {
           return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
         });
}

bool is_host(std::string_view host) {
  if (is_bracketed_ipv6(host)) return true;
  while (true) {
    const size_t dot = host.find('.');
    if (!is_host_label(host.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
}

// One part of a repository's path: lower-case letters and digits, joined by one '.', one or two '_' or any
// number of
// '-' (distribution spec, "Pulling manifests").
bool is_path_part(std::string_view part) {
  if (part.empty()) return false;
  size_t i = 0;
  while (true) {
    const size_t word = i;
    while (i < part.size() && (is_lower(part[i]) || is_digit(part[i]))) ++i;
    if (i == word) return false;
    if (i == part.size()) return true;
    const char separator = part[i];
    const size_t start = i;
    while (i < part.size() && part[i] == separator) ++i;
    const size_t count = i - start;
    const bool allowed =
        (separator == '.' && count == 1) || (separator == '_' && count <= 2) || separator == '-';
    if (!allowed) return false;
  }
}

bool is_tag(std::string_view tag) {
  return !tag.empty() && tag.size() <= kMaxTag && tag.front() != '.' && tag.front() != '-' &&
         all_of(tag, [](char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

// Whether the part before the first slash names a registry, not the first part of a path.
bool looks_like_registry(std::string_view part) {
  return part == "localhost" || std::any_of(part.begin(), part.end(), [](char c) {
           return c == '.' || c == ':' || c == '[' || is_upper(c);
         });
}

}  // namespace

bool is_registry_name(std::string_view text) {
  if (text.size() > kMaxName) return false;
  const size_t colon = text.rfind(':');
  const size_t bracket = text.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (!has_port) return is_host(text);
  return is_host(text.substr(0, colon)) && is_port(text.substr(colon + 1));
}

Result<Reference> Reference::parse_name(std::string_view text, std::string_view name) {
  std::string registry(kDefaultRegistry);
  std::string_view path = name;
  const size_t slash = name.find('/');
  if (slash != std::string_view::npos && looks_like_registry(name.substr(0, slash))) {
    const std::string_view host = name.substr(0, slash);
    if (!is_registry_name(host)) {
      return malformed(text, fmt::format("\"{}\" is not a host name with or without a port", host));
    }
    registry = host == kLegacyDefaultRegistry ? std::string(kDefaultRegistry) : std::string(host);
    path = name.substr(slash + 1);
  }
  if (path.empty()) return malformed(text, "it has no name");
  std::string repository(path);
  if (registry == kDefaultRegistry && path.find('/') == std::string_view::npos)
    repository.insert(0, kOfficial);
  for (std::string_view rest = path;;) {
    const size_t end = rest.find('/');
    const std::string_view part = rest.substr(0, end);
    if (!is_path_part(part)) {
      if (std::any_of(part.begin(), part.end(), is_upper)) {
        return malformed(text, fmt::format("\"{}\" has upper-case letters", part));
      }
      return malformed(
          text, fmt::format("\"{}\" is not lower-case letters and digits joined by single . or /, one or "
                            "two _, or hyphens",
                            part));
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  if (registry.size() + 1 + repository.size() > kMaxName) {
    return malformed(text, fmt::format("its name is longer than {} characters", kMaxName));
  }
  return Reference(std::move(registry), std::move(repository));
}

Result<Reference> Reference::parse(std::string_view text) {
  if (text.empty()) return malformed(text, "it is empty");
  if (text.size() > kMaxReference) return malformed(text, "it is too long");
  if (text.size() == 64 && is_hex(text)) return malformed(text, "64 hexadecimal digits are an image's ID");
  std::string_view name = text;
  std::optional<Digest> digest;
  if (const size_t at = name.find('@'); at != std::string_view::npos) {
    Result<Digest> parsed = Digest::parse(name.substr(at + 1));
    if (!parsed) return malformed(text, parsed.error().message);
    digest = std::move(*parsed);
    name = name.substr(0, at);
  }
  std::optional<std::string> tag;
  const size_t colon = name.rfind(':');
  const size_t slash = name.rfind('/');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    tag = std::string(name.substr(colon + 1));
    if (!is_tag(*tag)) {
      return malformed(
          text, fmt::format("\"{}\" is not a tag: it is 1 to {} letters, digits, _, . and -, and does not "
                            "begin with . or -",
                            *tag, kMaxTag));
    }
    name = name.substr(0, colon);
  }
  Reference reference = TRY(parse_name(text, name));
  reference.digest_ = std::move(digest);
  reference.tag_ = std::move(tag);
  if (!reference.tag_ && !reference.digest_) reference.tag_ = "latest";
  return reference;
}

Result<Reference> Reference::parse_repository(std::string_view text) {
  if (text.size() > kMaxReference) return malformed(text, "it is too long");
  return parse_name(text, text);
}

std::string Reference::full() const {
  std::string text = name();
  if (tag_) text += ":" + *tag_;
  if (digest_) text += "@" + digest_->str();
  return text;
}

std::string Reference::familiar() const {
  std::string text = full();
  if (registry_ != kDefaultRegistry) return text;
  const size_t slash = repository_.find('/');
  // "docker.io/a.b/c" without its beginning would be c of the registry a.b.
  if (slash != std::string::npos && looks_like_registry(repository_.substr(0, slash))) return text;
  text.erase(0, kDefaultRegistry.size() + 1);
  if (repository_.starts_with(kOfficial) && repository_.find('/', kOfficial.size()) == std::string::npos) {
    text.erase(0, kOfficial.size());
  }
  return text;
}

Result<Reference> Reference::with_tag(std::string_view tag) const {
  if (!is_tag(tag)) return malformed(name() + ":" + std::string(tag), "its tag is not a tag");
  Reference other = *this;
  other.tag_ = std::string(tag);
  other.digest_.reset();
  return other;
}

Reference Reference::with_digest(const Digest& digest) const {
  Reference other = *this;
  other.tag_.reset();
  other.digest_ = digest;
  return other;
}

}  // namespace berth::oci
