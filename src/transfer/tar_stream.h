// A tar archive that is made while it is read.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/byte_source.h"
#include "transfer/archived_file.h"

namespace berth::transfer {

// Files for an archive, one after another.
class FileSequence {
 public:
  FileSequence() = default;
  FileSequence(const FileSequence&) = delete;
  FileSequence& operator=(const FileSequence&) = delete;
  virtual ~FileSequence() = default;
  // None at the end.
  virtual Result<std::optional<ArchivedFile>> next() = 0;
};

// Holds what is left of one file at a time. A file that becomes shorter while it is read has zeroes for the
// rest.
class TarStream : public ByteSource {
 public:
  explicit TarStream(std::unique_ptr<FileSequence> files) : files_(std::move(files)) {}
  Result<size_t> read(std::span<std::byte> buffer) override;

 private:
  Result<bool> begin_next();
  Result<size_t> read_data(std::span<std::byte> buffer);
  size_t read_ready(std::span<std::byte> buffer);

  std::unique_ptr<FileSequence> files_;
  std::optional<ArchivedFile> file_;
  size_t segment_ = 0;         // of the file's
  uint64_t segment_done_ = 0;  // bytes of it
  uint64_t padding_ = 0;       // after the data
  std::string ready_;          // bytes that come before anything else
  size_t ready_done_ = 0;
  bool ended_ = false;
};

}  // namespace berth::transfer
