// What a new tmpfs begins with, where it is to begin with what it covers ("tmpcopyup").
#pragma once

#include <string>

#include "base/error.h"
#include "safepath/root.h"

namespace berth::runtime {

// Copies the directory `path` of the root file system into the directory `to`: files, directories and links,
// with owners, modes and times. Sockets, FIFOs and devices are left out. Nothing there is success. The
// content is hostile: links are copied and never followed, and no depth uses up the stack.
Result<> copy_up(const safepath::Root& root, const std::string& path, int to);

}  // namespace berth::runtime
