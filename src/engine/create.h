// Making a container: its record, its bank and its directories.
#pragma once

#include <string>

#include "config/config.h"
#include "engine/container/container_spec.h"
#include "ledger/banks.h"
#include "runtime/container.h"
#include "store/containers.h"
#include "store/images.h"
#include "store/store.h"
#include "sys/file.h"

namespace berth::engine {

// A new ID: 64 hexadecimal digits.
Result<std::string> new_container_id();

struct CreateRequest {
  std::string id;
  std::string name;  // empty: a name is made up
  ContainerSpec spec;
  const config::Config& config;
  const runtime::Namespaces& namespaces;  // namespaces_for_new()
  store::ImageRecord image;
  bool remove_on_exit = false;
  bool starts_at_once = false;  // by the process that makes it
};

// A container and the lock on it. Whoever holds the lock may start or remove it; the lock goes with the
// process.
struct LockedContainer {
  store::ContainerRecord record;
  sys::FileLock lock;
};

// Durable when it returns. After an error, or a crash at any point, nothing is left that recover() does not
// remove.
Result<LockedContainer> create_container(store::Store& store, CreateRequest request);

// Locks a container, and reads its record again, because it may have changed before the lock was had.
// Code::conflict if it runs or another command is busy with it, Code::not_found if it is gone.
Result<LockedContainer> lock_container(store::Store& store, const store::ContainerRecord& record);
// The same with the lock that this process was executed with. Code::conflict if `fd` is not that lock.
Result<LockedContainer> take_container(store::Store& store, const store::ContainerRecord& record,
                                       sys::UniqueFd fd);

}  // namespace berth::engine
