// The files that images are kept in outside the store: a directory, or a tar archive of one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/byte_source.h"
#include "base/error.h"
#include "safepath/root.h"
#include "sys/unique_fd.h"

namespace berth::transfer {

class ImageFiles {
 public:
  ImageFiles() = default;
  ImageFiles(const ImageFiles&) = delete;
  ImageFiles& operator=(const ImageFiles&) = delete;
  virtual ~ImageFiles() = default;

  [[nodiscard]] virtual bool has(const std::string& path) const = 0;
  // A whole file; Code::refused if it is longer than `limit` bytes, Code::not_found if it is not there.
  [[nodiscard]] virtual Result<std::string> read(const std::string& path, size_t limit) const = 0;
  // May be called from several threads. This object must outlive what it gives.
  [[nodiscard]] virtual Result<std::unique_ptr<ByteSource>> open(const std::string& path) const = 0;
};

// Paths are resolved inside the directory.
class DirectoryFiles : public ImageFiles {
 public:
  explicit DirectoryFiles(safepath::Root root) : root_(std::move(root)) {}
  [[nodiscard]] bool has(const std::string& path) const override;
  [[nodiscard]] Result<std::string> read(const std::string& path, size_t limit) const override;
  [[nodiscard]] Result<std::unique_ptr<ByteSource>> open(const std::string& path) const override;

 private:
  safepath::Root root_;
};

// An index of an uncompressed tar archive in a regular file. Links inside the archive are followed.
class ArchiveFiles : public ImageFiles {
 public:
  static Result<std::unique_ptr<ArchiveFiles>> index(sys::UniqueFd file);
  [[nodiscard]] bool has(const std::string& path) const override;
  [[nodiscard]] Result<std::string> read(const std::string& path, size_t limit) const override;
  [[nodiscard]] Result<std::unique_ptr<ByteSource>> open(const std::string& path) const override;

 private:
  struct Place {
    uint64_t offset = 0;
    uint64_t size = 0;
  };
  explicit ArchiveFiles(sys::UniqueFd file) : file_(std::move(file)) {}
  [[nodiscard]] const Place* find(const std::string& path) const;
  sys::UniqueFd file_;
  std::map<std::string, Place> places_;
  std::map<std::string, std::string> links_;
};

}  // namespace berth::transfer
