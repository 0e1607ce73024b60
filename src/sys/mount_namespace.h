// Mount namespaces beside the caller's own.
#pragma once

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::sys {

// Another mount namespace for as long as the object lives, and then again the one before. The caller must be
// single-threaded.
class ScopedMountNamespace {
 public:
  static Result<ScopedMountNamespace> enter(int space);
  ScopedMountNamespace(ScopedMountNamespace&&) = default;
  ScopedMountNamespace& operator=(ScopedMountNamespace&&) = delete;
  ScopedMountNamespace(const ScopedMountNamespace&) = delete;
  ScopedMountNamespace& operator=(const ScopedMountNamespace&) = delete;
  ~ScopedMountNamespace();

 private:
  explicit ScopedMountNamespace(UniqueFd before) : before_(std::move(before)) {}
  UniqueFd before_;
};

// A copy of the caller's mount namespace that belongs to a user namespace: its root can mount there, and
// what the copy begins with is locked (mount_namespaces(7)). It lives as long as the descriptor.
Result<UniqueFd> copy_mount_namespace(int user_namespace);

}  // namespace berth::sys
