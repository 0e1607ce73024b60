// How much one layer may ask of the host. The values are far above any image that people use; they stop
// archives that are made to fill a disk or the memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace berth::unpack {

struct Limits {
  uint64_t unpacked_bytes = 256ULL << 30;       // of the uncompressed tar
  uint64_t file_size = 1ULL << 40;              // of one file, holes included
  uint64_t entries = 5'000'000;                 // of one tar
  size_t depth = 256;                           // directories above a name
  size_t path_length = 4095;                    // PATH_MAX less its NUL
  size_t name_length = 255;                     // NAME_MAX
  size_t extended_header_bytes = 1 << 20;       // one pax or GNU long-name header; as Go's archive/tar
  size_t sparse_segments = 1 << 20;             // of one file
  size_t xattr_value = 64 << 10;                // XATTR_SIZE_MAX
  size_t directory_attribute_bytes = 64 << 20;  // kept in memory until all directories get theirs
};

}  // namespace berth::unpack
