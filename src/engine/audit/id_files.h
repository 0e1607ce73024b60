// What the host's files say about IDs, line by line, so that a line can be shown to whoever has to change it.
// Pure. Lines that say nothing are passed over, as their readers do. The ledger's look at the same files
// (ledger/host_files.h) is for speed: it knows ranges and no lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "idmap/id_range.h"

namespace berth::engine {

enum class IdFile { passwd, group, subuid, subgid };

// "/etc/passwd".
std::string_view path_of(IdFile file);

// One line of one of them: a user with its UID, a group with its GID, a range that is set aside for somebody.
struct IdLine {
  IdFile file = IdFile::passwd;
  size_t line = 0;       // counts from 1
  std::string name{};    // as it stands there: up to the first colon, whatever bytes those are
  idmap::IdRange ids{};  // never empty, never beyond idmap::kLastId
};

// Of a user the UID counts. (Its GID is somebody's in /etc/group, or nobody's.)
std::vector<IdLine> read_id_lines(std::string_view text, IdFile file);

}  // namespace berth::engine
