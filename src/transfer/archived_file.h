// A file of a tree, as it goes into an archive.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include <sys/stat.h>

#include "base/error.h"
#include "idmap/id_shift.h"
#include "sys/unique_fd.h"
#include "unpack/tar_entry.h"

namespace berth::transfer {

struct ArchivedFile {
  unpack::TarEntry entry;
  sys::UniqueFd data;               // of a regular file, open for reading
  std::optional<std::string> text;  // its content, in the place of that
};

// Looks at files of a tree that somebody else may be changing: nothing is followed, and nothing but regular
// files is opened.
class FileReader {
 public:
  // `shift`: from the IDs that the tree has to those that the archive is to have.
  explicit FileReader(std::optional<idmap::Shift> shift) : shift_(std::move(shift)) {}

  // `name` in the directory, as `path` in the archive, a directory with a slash at its end. A file that has
  // been read under another name before is a hard link to that. None if it is gone, and for a socket, which
  // no archive can hold. trusted.* attributes and what belongs to the host's policy are left out.
  Result<std::optional<ArchivedFile>> read(int directory, const std::string& name, const std::string& path);
  // The same for an open file (O_PATH, its own last link not followed).
  Result<std::optional<ArchivedFile>> read_open(int handle, const std::string& path);

 private:
  Result<> describe(ArchivedFile& file, int handle, const struct stat& st);

  std::optional<idmap::Shift> shift_;
  std::map<std::pair<uint64_t, uint64_t>, std::string> linked_;  // by device and inode: files with more names
};

}  // namespace berth::transfer
