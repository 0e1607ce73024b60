// Which identity layers running containers use, so that the others need not be kept for ever.
//
//   <run root>/containers/<id>/identity   the key of the layer in the container's root file system; goes with
//                                         the container's process, as all in that directory
//   <root>/identities.lock                held shared from looking for a layer to noting its use, and
//                                         exclusively by whoever removes
#pragma once

#include <string_view>

#include "base/error.h"
#include "store/store.h"
#include "sys/file.h"

namespace berth::engine {

// So many identities of an image are kept that no container uses, those that were made last.
inline constexpr size_t kKeptIdentities = 16;

// While it lasts no identity is removed.
class IdentityUse {
 public:
  static Result<IdentityUse> begin(const store::Store& store);
  // `container`: its ID, or empty if nobody is to be noted.
  Result<> record(std::string_view container, std::string_view key) const;
  void end() { lock_.release(); }

 private:
  IdentityUse(const store::Store& store, sys::FileLock lock) : store_(store), lock_(std::move(lock)) {}
  const store::Store& store_;
  sys::FileLock lock_;
};

// Of the identities whose names begin with `image` and a hyphen. Called whenever one was made, so that there
// are never many; puts it off, without waiting, while any container is being started. What fails is only
// logged: the next one that is made brings another attempt.
void remove_unused_identities(const store::Store& store, std::string_view image);

}  // namespace berth::engine
