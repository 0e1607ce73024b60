// The documents that lead from a name to layers: manifests and indexes, in OCI's form and in Docker's (schema
// 2).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "oci/digest.h"
#include "oci/platform.h"

namespace berth::oci {

// A registry may refuse manifests above 4 MiB (distribution spec, "Pushing manifests"), so none is larger.
inline constexpr size_t kMaxManifestBytes = 4UL << 20;
// overlayfs stacks no more (OVL_MAX_STACK).
inline constexpr size_t kMaxLayers = 500;

namespace media_type {
inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kOciConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kOciLayer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view kOciLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view kOciLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view kDockerLayer = "application/vnd.docker.image.rootfs.diff.tar";
inline constexpr std::string_view kDockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip";
}  // namespace media_type

// A blob or a document by what it is, its digest and its size in bytes. URLs that a descriptor may name are
// not kept: berth fetches from the registry that it was told to use, and from nowhere else.
struct Descriptor {
  std::string media_type;
  Digest digest;
  uint64_t size = 0;
  std::optional<Platform> platform;  // in an index
  std::map<std::string, std::string> annotations;
};

// One image: layers[0] is the lowest.
struct Manifest {
  std::string media_type;  // kOciManifest or kDockerManifest
  Descriptor config;
  std::vector<Descriptor> layers;
  std::map<std::string, std::string> annotations;
};

// Several images under one name.
struct Index {
  std::string media_type;  // kOciIndex or kDockerIndex
  std::vector<Descriptor> manifests;
  std::map<std::string, std::string> annotations;
};

using ManifestOrIndex = std::variant<Manifest, Index>;

// Parses a document by its media type, which is `declared` (a Content-Type, a descriptor's media type;
// parameters after a semicolon are dropped) or, where that is empty, the document's own "mediaType" or its
// shape. A document that could be read as both kinds, or whose own type is another than declared, is refused
// (CVE-2021-41190). So is a manifest of something that is not a container image, and one in Docker's
// schema 1.
Result<ManifestOrIndex> parse_manifest_or_index(std::string_view bytes, std::string_view declared = {});

// The same where only one kind will do.
Result<Manifest> parse_manifest(std::string_view bytes, std::string_view declared = {});
Result<Index> parse_index(std::string_view bytes, std::string_view declared = {});

Result<std::string> emit_manifest(const Manifest& manifest);
Result<std::string> emit_index(const Index& index);

// The image of an index that serves `wanted` best; among equals the first. Entries that are not manifests of
// images (attestations, signatures: platform unknown/unknown) are passed over. Code::not_found with the
// platforms there are.
Result<Descriptor> choose(const Index& index, const Platform& wanted);

enum class Compression { none, gzip, zstd };

// How a layer's tar is compressed, going by its media type. Code::refused if it is not a layer's.
Result<Compression> layer_compression(std::string_view media_type);

// "application/vnd.oci.image.index.v1+json" of "Application/VND.oci.image.index.v1+json; charset=utf-8".
std::string bare_media_type(std::string_view content_type);

}  // namespace berth::oci
