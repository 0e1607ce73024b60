// Writes what an archive has below a directory that others may be changing meanwhile: somebody's container,
// or a directory of the host's. No link below it is followed, and nothing outside of it is touched.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_source.h"
#include "base/error.h"
#include "sys/unique_fd.h"
#include "unpack/limits.h"
#include "unpack/tar_reader.h"

namespace berth::transfer {

struct Owner {
  uint32_t uid = 0;
  uint32_t gid = 0;
};

struct WritePolicy {
  // Whose a file is to be, as this process sees IDs.
  std::function<Result<Owner>(const unpack::TarEntry&)> owner;
  // Files that may be executed as somebody else stay so. Not on the host: the file's owner there is another.
  bool keep_setid = false;
  // A directory that is there gets the archive's owner and mode.
  bool change_directories = false;
  // A directory takes the place of a file, and a file that of a directory with all that is in it.
  bool overwrite = false;
};

class TreeWriter {
 public:
  TreeWriter(sys::UniqueFd directory, WritePolicy policy)
      : directory_(std::move(directory)), policy_(std::move(policy)) {}

  // A file takes the place of another one. Devices are left out, with a warning. Code::refused for a path
  // that leads out, or over a link; Code::conflict where a directory and a file meet.
  Result<> add(const unpack::TarEntry& entry, unpack::TarReader& reader);
  // Gives directories their modes and times.
  Result<> finish();

 private:
  struct Place {
    int parent = -1;
    std::string name;  // empty: the directory itself
  };
  struct Directory {
    std::string path;
    mode_t mode;
    timespec mtime;
  };
  Result<Place> find(std::string_view path, bool make);
  Result<sys::UniqueFd> open_parent(const std::string& path, bool make);
  Result<> clear(const Place& place) const;
  Result<> add_directory(const unpack::TarEntry& entry, const Place& place, std::string path);
  Result<> add_file(const unpack::TarEntry& entry, const Place& place, unpack::TarReader& reader);
  Result<> add_link(const unpack::TarEntry& entry, const Place& place);
  Result<> add_hard_link(const unpack::TarEntry& entry, const Place& place);
  Result<> add_fifo(const unpack::TarEntry& entry, const Place& place);
  [[nodiscard]] Result<> give(int fd, const unpack::TarEntry& entry) const;
  [[nodiscard]] mode_t mode_of(const unpack::TarEntry& entry) const;

  sys::UniqueFd directory_;
  WritePolicy policy_;
  std::string parent_path_;
  sys::UniqueFd parent_;
  std::vector<Directory> directories_;
};

// Reads a tar to its end and writes all of it.
Result<> write_tree(ByteSource& tar, TreeWriter& writer);

}  // namespace berth::transfer
