#include "unpack/layer_path.h"

#include <algorithm>

namespace berth::unpack {

namespace {
constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kReserved = ".wh..wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

Result<> check_parts(std::string_view path, const std::vector<std::string_view>& parts,
                     const Limits& limits) {
  if (path.size() > limits.path_length) {
    return fail(Code::refused, "a name has {} bytes, and at most {} are possible: \"{}…\"", path.size(),
                limits.path_length, path.substr(0, 64));
  }
  if (path.find('\0') != std::string_view::npos) {
    return fail(Code::refused, "the name \"{}\" holds a NUL byte", path);
  }
  if (parts.size() > limits.depth) {
    return fail(Code::refused, "\"{}\" lies more than {} directories deep", path, limits.depth);
  }
  for (const std::string_view part : parts) {
    if (part == "..") return fail(Code::refused, "the name \"{}\" has a \"..\" in it", path);
    if (part.size() > limits.name_length) {
      return fail(Code::refused, "\"{}\" has a part of more than {} bytes", path, limits.name_length);
    }
  }
  return {};
}
}  // namespace

std::vector<std::string_view> path_parts(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    if (!part.empty() && part != ".") parts.push_back(part);
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return parts;
}

Result<LayerPath> parse_layer_path(std::string_view path, const Limits& limits) {
  LayerPath result{.parents = path_parts(path)};
  TRY(check_parts(path, result.parents, limits));
  if (result.parents.empty()) return result;
  result.name = result.parents.back();
  result.parents.pop_back();
  for (const std::string_view part : result.parents) {
    if (!part.starts_with(kWhiteout)) continue;
    if (!part.starts_with(kReserved)) {
      return fail(Code::refused, "\"{}\" lies below a whiteout", path);
    }
    result.kind = NameKind::ignored;
    return result;
  }
  if (!result.name.starts_with(kWhiteout)) return result;
  if (result.name == kOpaque) {
    result.kind = NameKind::opaque;
  } else if (result.name.starts_with(kReserved)) {
    result.kind = NameKind::ignored;
  } else {
    result.kind = NameKind::whiteout;
    result.name.remove_prefix(kWhiteout.size());
    if (result.name.empty() || result.name == "." || result.name == "..") {
      return fail(Code::refused, "the whiteout \"{}\" hides no name", path);
    }
  }
  return result;
}

}  // namespace berth::unpack
