// A seccomp filter that asks an agent about system calls (seccomp_unotify(2)), and the descriptor by which
// the agent hears of them.
#pragma once

#include <functional>

#include "base/error.h"

namespace berth::runtime {

// Hands the listener over to who knows the agent. It stays the caller's.
using ListenerTaker = std::function<Result<>(int listener)>;

// Calls `load`, which loads a filter for the calling thread with SECCOMP_FILTER_FLAG_NEW_LISTENER and gives
// the listener, and then `take`, in another thread: once the filter is loaded, any system call of this one
// may have to wait for an agent who has not got the listener yet. That thread is not held by the filter, and
// this one makes no system call before the other has been told. It ends before this returns.
//
// Needs room for one more task in the limits of the user and the cgroup.
Result<> load_with_listener(const std::function<Result<int>()>& load, const ListenerTaker& take);

}  // namespace berth::runtime
