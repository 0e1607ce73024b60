// What stands before a file's data in a tar archive: a ustar header block, and before it a pax extended
// header with all that the block has no room for (POSIX.1-2001, pax, "pax Interchange Format"), as GNU tar,
// Go's archive/tar and this project's own reader understand it. Pure. The same entry gives the same bytes.
#pragma once

#include <string>

#include "base/error.h"
#include "unpack/tar_entry.h"

namespace berth::transfer {

// For a sparse file it ends with the map of where the data belongs (GNU tar, "PAX Format, Version 1.0"). Then
// follow the data (of a sparse file that of its segments, one after another) and archive_padding() bytes.
//
// Code::refused where no archive can hold it: an attribute whose name has "=" in it, extended headers of more
// than 1 MiB.
Result<std::string> archive_header(const unpack::TarEntry& entry);

// How many bytes of data follow the header.
uint64_t archived_bytes(const unpack::TarEntry& entry);
// Zeroes that fill the data's last block.
size_t archive_padding(uint64_t bytes);

// Two blocks of zeroes.
std::string archive_end();

}  // namespace berth::transfer
