// A store in a directory that is there for one test.
#pragma once

#include "scratch.h"
#include "store/store.h"

namespace berth::test {

// In "root" and "run" below the directory. Each call opens the same one.
inline Result<store::Store> open_store(const Scratch& scratch) {
  return store::Store::open({.root = scratch.path() + "/root", .run_root = scratch.path() + "/run"});
}

}  // namespace berth::test
