// What /proc says of a process's user namespace and command.
#pragma once

#include <string>
#include <vector>

#include "idmap/id_range.h"

namespace berth::ledger {

// The IDs of this user namespace that a map file ("123/uid_map", below the open /proc) has under other
// numbers, a range an extent, in the file's order. None for a process that has ended: they may at any time.
std::vector<idmap::IdRange> ranges_mapped_by(int procfs, const std::string& file);

// What it calls itself (comm), in its own bytes; "?" for one that has ended.
std::string command_of(int procfs, const std::string& pid);

}  // namespace berth::ledger
