// `berth cp`: files between the host and containers, by Docker's rules for names.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "engine/files/container_root.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::transfer {

struct CopyEnd {
  std::string container;  // name, ID or the beginning of one; empty: the host
  std::string path;       // of the host "-" alone: a tar on a standard stream
};

struct CopyRequest {
  CopyEnd from;
  CopyEnd to;
  bool archive = false;    // keep the owners' IDs; else what is made is its place's root's, or the caller's
  bool overwrite = false;  // a directory may take the place of a file, and the reverse
  bool follow = false;     // a link as the source stands for what it leads to
};

// "CONTAINER:PATH", or a path of the host's: one that begins with "/" or ".", or has no colon.
CopyEnd parse_copy_end(const std::string& word);

// A source directory with "/." at its end stands for what is in it. A target that is a directory gets the
// source into it, one that is not there becomes it. Paths in a container begin at its root directory; links
// lead nowhere out of it. Nothing in a container is executed. The calling process leaves its mount namespace.
Result<> copy_files(store::Store& store, const CopyRequest& request);

}  // namespace berth::transfer
