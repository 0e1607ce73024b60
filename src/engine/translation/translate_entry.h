// One file of a tree that is copied with other owners: its data and all that the file system knows of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <sys/stat.h>

#include "base/error.h"
#include "idmap/id_shift.h"

namespace berth::engine {

// Whether to stop, because the person wants it. Called often, by several threads.
using Interrupted = std::function<bool()>;

struct EntryCopier {
  const idmap::Shift& shift;
  const Interrupted& interrupted;

  // Copies what `name` in the directory `source` is (not followed, `attributes` are its own, no directory) to
  // the same name in `target`, where there is nothing: content with its holes, sharing blocks where the file
  // system can (FICLONE, copy_file_range(2)); owner and ACLs and file capabilities with their IDs shifted;
  // mode, other extended attributes, access and modification time.
  [[nodiscard]] Result<> copy(int source, int target, const std::string& name,
                              const struct stat& attributes) const;

  // The same for an open directory, without what is in it.
  [[nodiscard]] Result<> copy_directory_attributes(int source, int target,
                                                   const struct stat& attributes) const;

 private:
  [[nodiscard]] Result<> copy_regular(int source, int target, const std::string& name) const;
  [[nodiscard]] Result<> copy_other(int source, int target, const std::string& name,
                                    const struct stat& attributes) const;
  [[nodiscard]] Result<> give(int fd, const struct stat& attributes) const;
};

}  // namespace berth::engine
