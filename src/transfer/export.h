// `berth export`: a container's root file system as a tar.
#pragma once

#include "base/byte_source.h"
#include "base/error.h"
#include "engine/files/changes.h"
#include "engine/files/container_view.h"
#include "transfer/tar_stream.h"

namespace berth::transfer {

// All of it as one layer has it: without what berth itself has put there, and without what is mounted. The
// arguments must outlive the result.
std::unique_ptr<FileSequence> whole_root(const engine::ContainerView& view, const engine::Changes& changes);

// Writes all that `source` gives to a descriptor.
Result<> write_stream(ByteSource& source, int fd);

}  // namespace berth::transfer
