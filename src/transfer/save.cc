#include "transfer/save.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>

#include "oci/image_config.h"
#include "oci/json.h"
#include "oci/manifest.h"
#include "store/layers.h"
#include "sys/file.h"
#include "transfer/file_source.h"
#include "transfer/open_archive.h"
#include "transfer/tar_writer.h"
#include "unpack/sha256.h"

namespace berth::transfer {

namespace {

constexpr const char* kRefName = "org.opencontainers.image.ref.name";
constexpr const char* kOciLayoutFile = R"({"imageLayoutVersion":"1.0.0"})";

std::string hex_of(std::string_view digest) {
  return std::string(digest.substr(digest.find(':') + 1));
}

std::string blob_path(std::string_view digest) {
  return "blobs/sha256/" + hex_of(digest);
}

Result<sys::UniqueFd> open_existing_blob(const store::Store& store, const std::string& digest) {
  std::optional<sys::UniqueFd> fd = TRY(store::open_blob(store, digest));
  if (!fd) return fail("the store's blob {} is missing", digest);
  return std::move(*fd);
}

// Where the files of a layout go.
class Output {
 public:
  Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  virtual ~Output() = default;
  virtual Result<> text(const std::string& path, std::string_view content) = 0;
  virtual Result<> stream(const std::string& path, uint64_t size, ByteSource& source) = 0;
  virtual Result<> finish() = 0;
};

class ArchiveOutput : public Output {
 public:
  explicit ArchiveOutput(int fd) : tar_(fd) {}
  Result<> text(const std::string& path, std::string_view content) override {
    return tar_.add(path, content);
  }
  Result<> stream(const std::string& path, uint64_t size, ByteSource& source) override {
    return tar_.add(path, size, source);
  }
  Result<> finish() override { return tar_.finish(); }

 private:
  TarWriter tar_;
};

class DirectoryOutput : public Output {
 public:
  explicit DirectoryOutput(sys::UniqueFd dir) : dir_(std::move(dir)) {}
  Result<> text(const std::string& path, std::string_view content) override {
    const sys::UniqueFd fd = TRY(make(path));
    return sys::write_all(fd.get(), content);
  }
  Result<> stream(const std::string& path, uint64_t /*size*/, ByteSource& source) override {
    const sys::UniqueFd fd = TRY(make(path));
    std::vector<std::byte> piece(256 << 10);
    while (true) {
      const size_t n = TRY(source.read(piece));
      if (n == 0) return {};
      TRY(sys::write_all(fd.get(), {reinterpret_cast<const char*>(piece.data()), n}));
    }
  }
  Result<> finish() override { return {}; }

 private:
  Result<sys::UniqueFd> make(const std::string& path) {
    return sys::open_at(dir_.get(), path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  }
  sys::UniqueFd dir_;
};

Result<uint64_t> file_size(int fd) {
  return static_cast<uint64_t>(TRY(sys::stat_at(fd, "", AT_EMPTY_PATH)).st_size);
}

// -- OCI layout

class OciLayout {
 public:
  OciLayout(store::Store& store, Output& output) : store_(store), output_(output) {}

  Result<> add(const ImageToSave& image) {
    const store::ImageDocuments documents = TRY(store::image_documents(store_, image.image.id));
    const oci::Manifest manifest = TRY(oci::parse_manifest(documents.manifest));
    for (const oci::Descriptor& layer : manifest.layers) TRY(add_blob(layer.digest.str()));
    if (written_.insert(image.image.id).second)
      TRY(output_.text(blob_path(image.image.id), documents.config));
    const std::string& digest = image.image.manifest_digest;
    if (written_.insert(digest).second) TRY(output_.text(blob_path(digest), documents.manifest));
    oci::Descriptor descriptor{
        manifest.media_type, TRY(oci::Digest::parse(digest)), documents.manifest.size(), {}, {}};
    for (const std::string& name : image.names) {
      descriptor.annotations = {{kRefName, name}};
      index_.manifests.push_back(descriptor);
    }
    if (image.names.empty()) index_.manifests.push_back(std::move(descriptor));
    return {};
  }

  Result<> finish() {
    const std::string index = TRY(oci::emit_index(index_));
    TRY(output_.text("index.json", index));
    TRY(output_.text("oci-layout", kOciLayoutFile));
    return output_.finish();
  }

 private:
  Result<> add_blob(const std::string& digest) {
    if (!written_.insert(digest).second) return {};
    sys::UniqueFd fd = TRY(open_existing_blob(store_, digest));
    const uint64_t size = TRY(file_size(fd.get()));
    FileSource source(std::move(fd));
    return output_.stream(blob_path(digest), size, source);
  }

  store::Store& store_;
  Output& output_;
  std::set<std::string> written_;
  oci::Index index_{.media_type = std::string(oci::media_type::kOciIndex)};
};

// -- docker-archive

Result<std::unique_ptr<ByteSource>> open_uncompressed(const store::Store& store, const std::string& blob) {
  return decompressed(std::make_unique<FileSource>(TRY(open_existing_blob(store, blob))));
}

// A tar header comes before the data, and gzip does not say how long they are: a first pass counts.
Result<uint64_t> count_bytes(ByteSource& source) {
  std::vector<std::byte> piece(256 << 10);
  uint64_t total = 0;
  while (true) {
    const size_t n = TRY(source.read(piece));
    if (n == 0) return total;
    total += n;
  }
}

class DockerArchive {
 public:
  DockerArchive(store::Store& store, int fd) : store_(store), output_(fd) {}

  Result<> add(const ImageToSave& image) {
    nlohmann::json layers = nlohmann::json::array();
    for (const store::ImageLayer& layer : TRY(store::image_layers(store_, image.image.id))) {
      const std::string path = hex_of(layer.diff_id) + ".tar";
      layers.push_back(path);
      if (!written_.insert(path).second) continue;
      std::unique_ptr<ByteSource> counted = TRY(open_uncompressed(store_, layer.blob));
      const uint64_t size = TRY(count_bytes(*counted));
      counted.reset();
      const std::unique_ptr<ByteSource> source = TRY(open_uncompressed(store_, layer.blob));
      TRY(output_.stream(path, size, *source));
    }
    const std::string config_path = hex_of(image.image.id) + ".json";
    if (written_.insert(config_path).second) TRY(output_.text(config_path, image.image.config));
    manifest_.push_back({{"Config", config_path}, {"RepoTags", image.names}, {"Layers", layers}});
    return {};
  }

  Result<> finish() {
    const std::string manifest = TRY(oci::emit_json(manifest_));
    TRY(output_.text("manifest.json", manifest));
    return output_.finish();
  }

 private:
  store::Store& store_;
  ArchiveOutput output_;
  std::set<std::string> written_;
  nlohmann::json manifest_ = nlohmann::json::array();
};

template <typename Archive>
Result<> save_all(Archive& archive, std::span<const ImageToSave> images) {
  for (const ImageToSave& image : images) TRY(archive.add(image));
  return archive.finish();
}

}  // namespace

Result<SaveFormat> parse_save_format(std::string_view text) {
  if (text == "docker-archive") return SaveFormat::docker_archive;
  if (text == "oci-archive") return SaveFormat::oci_archive;
  if (text == "oci-dir") return SaveFormat::oci_directory;
  return fail(Code::usage, "--format {}: it is one of docker-archive, oci-archive, oci-dir", text);
}

Result<> save_archive(store::Store& store, std::span<const ImageToSave> images, SaveFormat format, int fd) {
  const store::KeepLayers keep = TRY(store::KeepLayers::acquire(store));
  if (format == SaveFormat::docker_archive) {
    DockerArchive archive(store, fd);
    return save_all(archive, images);
  }
  ArchiveOutput output(fd);
  OciLayout layout(store, output);
  return save_all(layout, images);
}

Result<> save_directory(store::Store& store, std::span<const ImageToSave> images, const std::string& path) {
  const store::KeepLayers keep = TRY(store::KeepLayers::acquire(store));
  const bool made = TRY(sys::ensure_dir_at(AT_FDCWD, path, 0755));
  sys::UniqueFd dir = TRY(sys::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY));
  if (!made && !TRY(sys::list_dir(dir.get())).empty()) {
    return fail(Code::usage, "the directory {} is not empty", path);
  }
  const auto write = [&]() -> Result<> {
    TRY(sys::ensure_dir_at(dir.get(), "blobs", 0755));
    TRY(sys::ensure_dir_at(dir.get(), "blobs/sha256", 0755));
    DirectoryOutput output(TRY(sys::open_at(dir.get(), ".", O_RDONLY | O_DIRECTORY)));
    OciLayout layout(store, output);
    return save_all(layout, images);
  };
  Result<> written = write();
  if (!written) {
    for (const char* name : {"blobs", "index.json", "oci-layout"}) {
      [[maybe_unused]] const Result<> removed = sys::remove_tree_at(dir.get(), name);
    }
    if (made) ::unlinkat(AT_FDCWD, path.c_str(), AT_REMOVEDIR);
  }
  return written;
}

}  // namespace berth::transfer
