// `berth save`: images from the store to an archive or a directory.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/images.h"
#include "store/store.h"

namespace berth::transfer {

enum class SaveFormat {
  docker_archive,  // manifest.json, layers uncompressed: what every engine can load
  oci_archive,     // an OCI layout in a tar; manifests, configurations and layers byte by byte as they came
  oci_directory,   // the same in a directory
};

// "docker-archive", "oci-archive", "oci-dir". Code::usage.
Result<SaveFormat> parse_save_format(std::string_view text);

struct ImageToSave {
  store::ImageRecord image;
  std::vector<std::string> names;  // full references that it is to have in the archive
};

// To an open file or pipe; not oci_directory.
Result<> save_archive(store::Store& store, std::span<const ImageToSave> images, SaveFormat format, int fd);

// To a directory that is empty or not there.
Result<> save_directory(store::Store& store, std::span<const ImageToSave> images, const std::string& path);

}  // namespace berth::transfer
