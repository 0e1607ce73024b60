// Input of the commands that read archives: a file or standard input, compressed in any usual way.
#pragma once

#include <memory>

#include "base/byte_source.h"
#include "base/error.h"
#include "store/store.h"
#include "sys/unique_fd.h"

namespace berth::transfer {

// What `source` gives, without its compression if that is gzip, zstd, xz or bzip2.
std::unique_ptr<ByteSource> decompressed(std::unique_ptr<ByteSource> source);

// `input` itself if it is a file with an uncompressed tar in it; else a file without a name in the store that
// holds what is in it.
Result<sys::UniqueFd> seekable_archive(const store::Store& store, sys::UniqueFd input);

}  // namespace berth::transfer
