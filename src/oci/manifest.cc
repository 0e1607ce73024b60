#include "oci/manifest.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/letter_case.h"
#include "oci/json.h"

namespace berth::oci {

namespace {

enum class Kind { manifest, index };

constexpr std::string_view kDockerSchema1 = "application/vnd.docker.distribution.manifest.v1";
constexpr size_t kMaxIndexEntries = 4096;

std::optional<Kind> kind_of(std::string_view type) {
  if (type == media_type::kOciManifest || type == media_type::kDockerManifest) return Kind::manifest;
  if (type == media_type::kOciIndex || type == media_type::kDockerIndex) return Kind::index;
  return std::nullopt;
}

std::string_view name_of(Kind kind) {
  return kind == Kind::manifest ? "manifest" : "index";
}

// Types that registries and proxies give to anything.
bool says_nothing(std::string_view type) {
  return type.empty() || type == "application/json" || type == "text/plain" ||
         type == "application/octet-stream";
}

std::unexpected<Error> old_schema() {
  return std::unexpected(Error{Code::refused, 0,
                               "it is in Docker's schema 1, a format without digests of layers",
                               "Push the image again with a newer engine."});
}

Result<Descriptor> read_descriptor(const JsonView& view) {
  const std::string media_type = TRY(view.string_or_empty("mediaType"));
  const JsonView digest_view = TRY(view.member("digest"));
  const std::string digest_text = TRY(digest_view.string());
  Result<Digest> digest = Digest::parse(digest_text);
  if (!digest) return digest_view.refuse(digest.error().message);
  const JsonView size_view = TRY(view.member("size"));
  const int64_t size = TRY(size_view.integer());
  if (size < 0) return size_view.refuse("a size can't be negative");
  Descriptor descriptor{media_type, std::move(*digest), static_cast<uint64_t>(size), std::nullopt, {}};
  descriptor.annotations = TRY(view.string_map_or_empty("annotations"));
  if (const auto platform = TRY(view.find("platform"))) {
    Platform read;
    read.os = TRY(platform->string_or_empty("os"));
    read.architecture = TRY(platform->string_or_empty("architecture"));
    read.variant = TRY(platform->string_or_empty("variant"));
    descriptor.platform = normalized(std::move(read));
  }
  return descriptor;
}

Result<Manifest> read_manifest(const JsonView& view, std::string_view type) {
  const JsonView config_view = TRY(view.member("config"));
  Descriptor config = TRY(read_descriptor(config_view));
  Manifest manifest{std::string(type), std::move(config), {}, {}};
  const std::string& config_type = manifest.config.media_type;
  if (config_type != media_type::kOciConfig && config_type != media_type::kDockerConfig) {
    return fail(Code::refused, "it is not a container image: its config is of the type \"{}\"", config_type);
  }
  const JsonView layers_view = TRY(view.member("layers"));
  const std::vector<JsonView> layers = TRY(layers_view.elements());
  if (layers.size() > kMaxLayers) {
    return layers_view.refuse(
        fmt::format("{} layers, and at most {} can be stacked", layers.size(), kMaxLayers));
  }
  for (const JsonView& layer_view : layers) {
    Descriptor layer = TRY(read_descriptor(layer_view));
    TRY_CONTEXT(layer_compression(layer.media_type), "{}", layer_view.place());
    manifest.layers.push_back(std::move(layer));
  }
  manifest.annotations = TRY(view.string_map_or_empty("annotations"));
  return manifest;
}

Result<Index> read_index(const JsonView& view, std::string_view type) {
  Index index{std::string(type), {}, {}};
  const JsonView entries_view = TRY(view.member("manifests"));
  const std::vector<JsonView> entries = TRY(entries_view.elements());
  if (entries.size() > kMaxIndexEntries) {
    return entries_view.refuse(
        fmt::format("{} entries, and at most {} are read", entries.size(), kMaxIndexEntries));
  }
  for (const JsonView& entry : entries) index.manifests.push_back(TRY(read_descriptor(entry)));
  index.annotations = TRY(view.string_map_or_empty("annotations"));
  return index;
}

// The media type that a document is to be read by.
Result<std::string> settle_type(const JsonView& view, std::string_view declared_raw) {
  const std::string declared = bare_media_type(declared_raw);
  const std::string own = bare_media_type(TRY(view.string_or_empty("mediaType")));
  const bool manifest_shaped = TRY(view.find("layers")).has_value() || TRY(view.find("config")).has_value();
  const bool index_shaped = TRY(view.find("manifests")).has_value();
  if (declared.starts_with(kDockerSchema1) || own.starts_with(kDockerSchema1) ||
      TRY(view.find("fsLayers")).has_value()) {
    return old_schema();
  }
  if (TRY(view.integer_or_zero("schemaVersion")) != 2) return view.refuse("\"schemaVersion\" is not 2");
  if (manifest_shaped && index_shaped) return view.refuse("it could be read as a manifest and as an index");
  if (!says_nothing(declared) && !own.empty() && own != declared) {
    return view.refuse(fmt::format("it was given as \"{}\" and calls itself \"{}\"", declared, own));
  }
  std::string type = says_nothing(declared) ? own : declared;
  if (type.empty()) type = index_shaped ? media_type::kOciIndex : media_type::kOciManifest;
  const std::optional<Kind> kind = kind_of(type);
  if (!kind) return view.refuse(fmt::format("\"{}\" is not the type of an image's manifest or index", type));
  if (*kind == Kind::manifest ? index_shaped : manifest_shaped) {
    return view.refuse(fmt::format("it was given as an {} and is none", type));
  }
  return type;
}

nlohmann::json to_json(const Descriptor& descriptor) {
  nlohmann::json out{
      {"mediaType", descriptor.media_type}, {"digest", descriptor.digest.str()}, {"size", descriptor.size}};
  if (descriptor.platform) {
    out["platform"] = {{"os", descriptor.platform->os}, {"architecture", descriptor.platform->architecture}};
    if (!descriptor.platform->variant.empty()) out["platform"]["variant"] = descriptor.platform->variant;
  }
  if (!descriptor.annotations.empty()) out["annotations"] = descriptor.annotations;
  return out;
}

nlohmann::json to_json(const std::vector<Descriptor>& descriptors) {
  nlohmann::json out = nlohmann::json::array();
  for (const Descriptor& descriptor : descriptors) out.push_back(to_json(descriptor));
  return out;
}

template <typename Wanted>
Result<Wanted> parse_only(std::string_view bytes, std::string_view declared, Kind wanted) {
  ManifestOrIndex document = TRY(parse_manifest_or_index(bytes, declared));
  if (Wanted* found = std::get_if<Wanted>(&document)) return std::move(*found);
  return fail(Code::refused, "it is not an image's {}, but an {}", name_of(wanted),
              name_of(wanted == Kind::manifest ? Kind::index : Kind::manifest));
}

}  // namespace

std::string bare_media_type(std::string_view content_type) {
  std::string_view bare = content_type.substr(0, content_type.find(';'));
  while (!bare.empty() && (bare.back() == ' ' || bare.back() == '\t')) bare.remove_suffix(1);
  while (!bare.empty() && (bare.front() == ' ' || bare.front() == '\t')) bare.remove_prefix(1);
  return small(bare);
}

Result<ManifestOrIndex> parse_manifest_or_index(std::string_view bytes, std::string_view declared) {
  const nlohmann::json json = TRY(parse_json(bytes, kMaxManifestBytes));
  const JsonView view(json, "the manifest");
  const std::string type = TRY(settle_type(view, declared));
  if (kind_of(type) == Kind::index) return TRY(read_index(view, type));
  return TRY(read_manifest(view, type));
}

Result<Manifest> parse_manifest(std::string_view bytes, std::string_view declared) {
  return parse_only<Manifest>(bytes, declared, Kind::manifest);
}

Result<Index> parse_index(std::string_view bytes, std::string_view declared) {
  return parse_only<Index>(bytes, declared, Kind::index);
}

Result<std::string> emit_manifest(const Manifest& manifest) {
  nlohmann::json out{{"schemaVersion", 2},
                     {"mediaType", manifest.media_type},
                     {"config", to_json(manifest.config)},
                     {"layers", to_json(manifest.layers)}};
  if (!manifest.annotations.empty()) out["annotations"] = manifest.annotations;
  return emit_json(out);
}

Result<std::string> emit_index(const Index& index) {
  nlohmann::json out{
      {"schemaVersion", 2}, {"mediaType", index.media_type}, {"manifests", to_json(index.manifests)}};
  if (!index.annotations.empty()) out["annotations"] = index.annotations;
  return emit_json(out);
}

Result<Descriptor> choose(const Index& index, const Platform& wanted) {
  const Descriptor* best = nullptr;
  int best_mismatch = 0;
  std::vector<std::string> offered;
  for (const Descriptor& entry : index.manifests) {
    if (!entry.media_type.empty() && !kind_of(bare_media_type(entry.media_type))) continue;
    // An index with one image and no platform is common, and that image is meant.
    const bool any = !entry.platform && index.manifests.size() == 1;
    if (!entry.platform && !any) continue;
    const std::optional<int> off = any ? std::optional(0) : mismatch(wanted, *entry.platform);
    if (off && (best == nullptr || *off < best_mismatch)) {
      best = &entry;
      best_mismatch = *off;
    }
    if (entry.platform && entry.platform->os != "unknown") offered.push_back(describe(*entry.platform));
  }
  if (best != nullptr) return *best;
  std::sort(offered.begin(), offered.end());
  offered.erase(std::unique(offered.begin(), offered.end()), offered.end());
  constexpr size_t kMaxShown = 24;
  if (offered.size() > kMaxShown) offered.resize(kMaxShown);
  Error error{Code::not_found, 0, fmt::format("there is no image for {} in the index", describe(wanted)), {}};
  if (!offered.empty()) {
    error.hint = fmt::format("There are images for {}; choose with --platform.", fmt::join(offered, ", "));
  }
  return std::unexpected(std::move(error));
}

Result<Compression> layer_compression(std::string_view type) {
  struct Known {
    std::string_view type;
    Compression compression;
  };
  constexpr std::array<Known, 10> kKnown{
      {{media_type::kOciLayer, Compression::none},
       {media_type::kOciLayerGzip, Compression::gzip},
       {media_type::kOciLayerZstd, Compression::zstd},
       {"application/vnd.oci.image.layer.nondistributable.v1.tar", Compression::none},
       {"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", Compression::gzip},
       {"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", Compression::zstd},
       {media_type::kDockerLayer, Compression::none},
       {media_type::kDockerLayerGzip, Compression::gzip},
       {"application/vnd.docker.image.rootfs.diff.tar.zstd", Compression::zstd},
       {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Compression::gzip}}};
  for (const Known& known : kKnown) {
    if (known.type == type) return known.compression;
  }
  return fail(Code::refused, "\"{}\" is not the type of a layer that berth can unpack", type);
}

}  // namespace berth::oci
