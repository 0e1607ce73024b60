#include "engine/halt.h"

#include "sys/file.h"

namespace berth::engine {

namespace {
constexpr const char* kMark = "halting";
}

Result<> begin_halt(const store::Store& store) {
  return sys::replace_file_at(store.run_root(), kMark, "", 0600, sys::Durability::none);
}

Result<> end_halt(const store::Store& store) {
  return sys::remove_tree_at(store.run_root(), kMark);
}

bool is_halting(const store::Store& store) {
  return sys::exists_at(store.run_root(), kMark);
}

}  // namespace berth::engine
