// How images are shown to people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/images.h"

namespace berth::cli {

// "4.27 MB": three digits, powers of a thousand, as podman and Docker print sizes.
std::string human_size(int64_t bytes);

// The digits of "sha256:…".
std::string_view hex_of(std::string_view id);

// The first twelve digits of "sha256:…".
std::string short_id(std::string_view id);

// `text` with control characters made visible, but for tabs and line ends.
std::string printable_lines(std::string_view text);

// Whether a full reference is what a person means by `pattern`: all of it, or its last parts, with the tag or
// without; * and ? stand for anything.
bool name_matches(std::string_view full_name, const std::string& pattern);

// The name and the tag of a full reference: "docker.io/library/busybox" and "latest". A digest counts as no
// tag.
struct NameParts {
  std::string repository;
  std::string tag;
};
NameParts split_name(std::string_view full_name);

// "docker.io/library/busybox@sha256:…" for each name's repository, once.
std::vector<std::string> repository_digests(const std::vector<std::string>& names, std::string_view digest);

}  // namespace berth::cli
