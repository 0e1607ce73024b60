#include "transfer/load.h"

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/container/announce.h"
#include "oci/image_config.h"
#include "oci/json.h"
#include "oci/manifest.h"
#include "oci/reference.h"
#include "store/local_name.h"
#include "sys/file.h"
#include "transfer/install_image.h"
#include "transfer/open_archive.h"
#include "unpack/sha256.h"

namespace berth::transfer {

namespace {

constexpr const char* kRefName = "org.opencontainers.image.ref.name";
constexpr const char* kContainerdName = "io.containerd.image.name";
constexpr unsigned kMostNestedIndexes = 4;

// An image whose layers are files.
class FilesImage : public ImageSource {
 public:
  explicit FilesImage(const ImageFiles& files) : files_(files) {}
  Result<std::unique_ptr<ByteSource>> open_layer(size_t index) override {
    return files_.open(layers.at(index));
  }

  std::vector<std::string> layers;

 private:
  const ImageFiles& files_;
};

void announce_loaded(const store::Store& store, const LoadedImage& loaded) {
  const std::string name = loaded.names.empty() ? std::string() : loaded.names.front();
  engine::announce_image(store, events::kLoad, loaded.id, name);
}

// -- docker-archive: manifest.json, as `docker save` writes it

Result<LoadedImage> load_docker_image(store::Store& store, const ImageFiles& files,
                                      const oci::JsonView& entry) {
  FilesImage image(files);
  const oci::JsonView config_path = TRY(entry.member("Config"));
  const std::string config = TRY(config_path.string());
  image.config = TRY(files.read(config, oci::kMaxConfigBytes));
  image.layers = TRY(entry.strings_or_empty("Layers"));
  LoadedImage loaded;
  for (const std::string& tag : TRY(entry.strings_or_empty("RepoTags"))) {
    const oci::Reference reference = TRY(oci::Reference::parse(tag));
    loaded.names.push_back(reference.full());
  }
  const oci::ImageConfig parsed = TRY(oci::parse_image_config(image.config));
  if (parsed.diff_ids.size() != image.layers.size()) {
    return fail(Code::refused, "manifest.json lists {} layers and the configuration {}", image.layers.size(),
                parsed.diff_ids.size());
  }
  loaded.id = TRY(install_image(store, image, loaded.names));
  announce_loaded(store, loaded);
  return loaded;
}

Result<std::vector<LoadedImage>> load_docker_archive(store::Store& store, const ImageFiles& files) {
  const std::string text = TRY(files.read("manifest.json", oci::kMaxManifestBytes));
  const nlohmann::json document = TRY_CONTEXT(oci::parse_json(text, oci::kMaxManifestBytes), "manifest.json");
  const std::vector<oci::JsonView> entries = TRY(oci::JsonView(document, "manifest.json").elements());
  std::vector<LoadedImage> loaded;
  for (const oci::JsonView& entry : entries) loaded.push_back(TRY(load_docker_image(store, files, entry)));
  return loaded;
}

// -- OCI layout: oci-layout, index.json, blobs/

std::string blob_path(const oci::Digest& digest) {
  return fmt::format("blobs/{}/{}", digest.algorithm_name(), digest.hex());
}

Result<std::string> read_blob(const ImageFiles& files, const oci::Digest& digest, size_t limit) {
  std::string text = TRY(files.read(blob_path(digest), limit));
  const std::string found = unpack::sha256_digest(text);
  if (found != digest.str()) {
    return fail(Code::refused, "the blob {} is damaged: its digest is {}", digest.str(), found);
  }
  return text;
}

// The manifest of the image that a descriptor leads to, through indexes of platforms.
Result<std::string> find_manifest(const ImageFiles& files, oci::Descriptor descriptor) {
  for (unsigned depth = 0; depth < kMostNestedIndexes; ++depth) {
    std::string bytes = TRY(read_blob(files, descriptor.digest, oci::kMaxManifestBytes));
    const oci::ManifestOrIndex parsed = TRY(oci::parse_manifest_or_index(bytes, descriptor.media_type));
    if (std::holds_alternative<oci::Manifest>(parsed)) return bytes;
    descriptor = TRY(oci::choose(std::get<oci::Index>(parsed), oci::host_platform()));
  }
  return fail(Code::refused, "its indexes lie more than {} deep in each other", kMostNestedIndexes);
}

// The full reference that a descriptor's annotations give; empty if they give none. A name without a registry
// is this machine's own, as podman has it; a lone tag belongs to the archive's name.
std::string name_of(const oci::Descriptor& descriptor, const std::string& origin) {
  for (const char* key : {kContainerdName, kRefName}) {
    const auto annotation = descriptor.annotations.find(key);
    if (annotation == descriptor.annotations.end() || annotation->second.empty()) continue;
    const std::string& name = annotation->second;
    const bool lone_tag = name.find_first_of("/:@") == std::string::npos;
    const std::string text = lone_tag ? fmt::format("{}:{}", origin, name) : name;
    Result<std::string> full = store::local_name(text);
    if (full) return std::move(*full);
  }
  return {};
}

Result<LoadedImage> load_oci_image(store::Store& store, const ImageFiles& files,
                                   const oci::Descriptor& descriptor, const std::string& origin) {
  FilesImage image(files);
  image.manifest = TRY(find_manifest(files, descriptor));
  const oci::Manifest manifest = TRY(oci::parse_manifest(image.manifest));
  image.config = TRY(read_blob(files, manifest.config.digest, oci::kMaxConfigBytes));
  for (const oci::Descriptor& layer : manifest.layers) image.layers.push_back(blob_path(layer.digest));
  LoadedImage loaded;
  const std::string name = name_of(descriptor, origin);
  if (!name.empty()) loaded.names.push_back(name);
  loaded.id = TRY(install_image(store, image, loaded.names));
  announce_loaded(store, loaded);
  return loaded;
}

Result<std::vector<LoadedImage>> load_oci_layout(store::Store& store, const ImageFiles& files,
                                                 const std::string& origin) {
  const std::string text = TRY(files.read("index.json", oci::kMaxManifestBytes));
  const oci::Index index = TRY_CONTEXT(oci::parse_index(text, oci::media_type::kOciIndex), "index.json");
  std::vector<LoadedImage> loaded;
  for (const oci::Descriptor& descriptor : index.manifests) {
    // Images for other machines may stand beside the one for this.
    const bool fits = !descriptor.platform || oci::mismatch(oci::host_platform(), *descriptor.platform);
    if (!fits && index.manifests.size() > 1) continue;
    loaded.push_back(TRY(load_oci_image(store, files, descriptor, origin)));
  }
  return loaded;
}

// A repository's name for images that are only known by a tag: the archive's file name without its ending.
std::string origin_of(const std::string& path) {
  std::string name =
      std::filesystem::path(path == "-" ? "stdin" : path).lexically_normal().filename().string();
  if (name.empty()) name = std::filesystem::path(path).lexically_normal().parent_path().filename().string();
  return name.substr(0, name.find('.'));
}

}  // namespace

Result<std::vector<LoadedImage>> load_images(store::Store& store, const ImageFiles& files,
                                             const std::string& origin) {
  std::vector<LoadedImage> loaded;
  if (files.has("index.json") && files.has("oci-layout")) {
    loaded = TRY(load_oci_layout(store, files, origin));
  } else if (files.has("manifest.json")) {
    loaded = TRY(load_docker_archive(store, files));
  } else {
    return fail(Code::refused,
                "it is neither a docker-archive (manifest.json) nor an OCI layout (index.json)");
  }
  if (loaded.empty()) return fail(Code::not_found, "it has no image for this machine");
  return loaded;
}

Result<std::vector<LoadedImage>> load_images_from(store::Store& store, const std::string& path) {
  sys::UniqueFd input;
  if (path == "-") {
    input = sys::UniqueFd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
    if (!input) return fail_errno(errno, "read standard input");
  } else {
    input = TRY(sys::open_at(AT_FDCWD, path, O_RDONLY));
  }
  const struct stat st = TRY(sys::stat_at(input.get(), "", AT_EMPTY_PATH));
  if (S_ISDIR(st.st_mode)) {
    return load_images(store, DirectoryFiles(safepath::Root(std::move(input))), origin_of(path));
  }
  sys::UniqueFd archive = TRY(seekable_archive(store, std::move(input)));
  const std::unique_ptr<ArchiveFiles> files = TRY(ArchiveFiles::index(std::move(archive)));
  return load_images(store, *files, origin_of(path));
}

}  // namespace berth::transfer
