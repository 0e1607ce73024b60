// An image out of tars in memory, as if it came from a registry.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "oci/image_config.h"
#include "oci/manifest.h"
#include "text_source.h"
#include "transfer/install_image.h"
#include "unpack/gzip_compressor.h"
#include "unpack/sha256.h"

namespace berth::test {

inline std::string gzip(const std::string& text) {
  std::string out;
  unpack::GzipCompressor compressor([&](std::span<const std::byte> data) -> Result<> {
    out.append(reinterpret_cast<const char*>(data.data()), data.size());
    return {};
  });
  if (!compressor.write(std::as_bytes(std::span(text))) || !compressor.finish()) std::abort();
  return out;
}

class MemoryImage : public transfer::ImageSource {
 public:
  enum class Manifest { given, none };

  explicit MemoryImage(const std::vector<std::string>& tars, Manifest kind = Manifest::given,
                       const std::string& author = {}) {
    oci::ImageConfig image{.platform = oci::host_platform(), .author = author};
    oci::Manifest document{.media_type = std::string(oci::media_type::kOciManifest),
                           .config = descriptor(oci::media_type::kOciConfig, "")};
    for (const std::string& tar : tars) {
      image.diff_ids.push_back(oci::Digest::parse(unpack::sha256_digest(tar)).value());
      blobs.push_back(kind == Manifest::given ? gzip(tar) : tar);
      document.layers.push_back(descriptor(oci::media_type::kOciLayerGzip, blobs.back()));
    }
    config = oci::emit_image_config(image).value();
    document.config = descriptor(oci::media_type::kOciConfig, config);
    if (kind == Manifest::given) manifest = oci::emit_manifest(document).value();
  }

  Result<std::unique_ptr<ByteSource>> open_layer(size_t index) override {
    opened.insert(index);
    return std::make_unique<TextSource>(blobs.at(index));
  }

  std::vector<std::string> blobs;
  std::set<size_t> opened;

 private:
  static oci::Descriptor descriptor(std::string_view media_type, const std::string& content) {
    return {std::string(media_type),
            oci::Digest::parse(unpack::sha256_digest(content)).value(),
            content.size(),
            {},
            {}};
  }
};

}  // namespace berth::test
