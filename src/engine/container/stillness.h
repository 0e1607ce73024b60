// Holding a container still for as long as a command needs it, and no longer, however that command ends.
#pragma once

#include <optional>

#include "engine/container/pause.h"
#include "sys/file.h"

namespace berth::engine {

// A running container is paused for as long as the object lives, unless somebody else has paused it. A file
// below the run root ("still/ID"), locked by this process, says whose pause it is: of a command that was
// killed the lock is free, and thaw_abandoned() ends its pause.
class Stillness {
 public:
  static Result<Stillness> begin(store::Store& store, const store::ContainerRecord& record);
  Stillness(Stillness&& other) noexcept;
  Stillness& operator=(Stillness&&) = delete;
  Stillness(const Stillness&) = delete;
  Stillness& operator=(const Stillness&) = delete;
  ~Stillness();

 private:
  Stillness(store::Store& store, const store::ContainerRecord* record, sys::FileLock lock)
      : store_(store), record_(record), lock_(std::move(lock)) {}
  store::Store& store_;
  const store::ContainerRecord* record_;  // nullptr: there is nothing to end
  sys::FileLock lock_;
};

// Lets those go on whose command was killed. Part of recover().
Result<> thaw_abandoned(store::Store& store);

}  // namespace berth::engine
