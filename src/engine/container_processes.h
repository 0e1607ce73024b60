// The processes of a container that runs, by what the host says of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/container/status.h"
#include "idmap/id_map.h"
#include "store/containers.h"
#include "store/store.h"
#include "sys/process_details.h"

namespace berth::engine {

// Those in the container's cgroup, or where it has none of its own, those in the PID namespace of its PID 1.
// By the host's PIDs, in ascending order.
Result<std::vector<sys::ProcessDetails>> processes_of(const store::Store& store,
                                                      const store::ContainerRecord& record,
                                                      const LiveStatus& live);

// What the container's own files say of its users, read from the store: nothing of it is executed, and no
// file of its running file system is opened.
struct AccountTexts {
  std::string passwd;
  std::string group;
};
AccountTexts account_texts(store::Store& store, const store::ContainerRecord& record);

}  // namespace berth::engine
