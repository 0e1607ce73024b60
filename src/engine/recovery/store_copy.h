// What the database knows of containers and of names, once more in small files beside them, for the day on
// which the database is lost (engine/recovery/rebuild.h). The database is what counts; nobody else reads
// these.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "idmap/id_range.h"
#include "ledger/banks.h"
#include "ledger/networks.h"
#include "ledger/projects.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::engine {

// A bank that is held, and by whom.
struct HeldBank {
  Bank bank;
  ledger::Owner owner;
  int64_t since = 0;  // seconds since 1970
};

struct ContainerCopy {
  store::ContainerRecord record;  // without its state
  std::vector<HeldBank> banks;    // its own, and those that it uses
  std::vector<idmap::IdRange> ranges;
};

struct StoreCopy {
  std::vector<HeldBank> banks;  // of names, numbers and projects
  std::vector<ledger::Project> projects;
  std::vector<ledger::RestingNumber> resting;  // numbers of projects that are gone
  std::vector<ledger::Network> networks;
};

// containers/<id>/record.json. Within the transaction that makes or changes the record, before its commit;
// durable when it returns. Not for a container that goes with its process: it has nothing to come back for.
inline constexpr const char* kContainerCopy = "record.json";
Result<> write_container_copy(store::Store& store, const store::ContainerRecord& record);
// ENOENT where there is none, Code::refused where it is damaged.
Result<ContainerCopy> read_container_copy(const store::Store& store, std::string_view id);

// ledger.json: all banks that have names or numbers or belong to projects, the projects, the numbers of
// projects that rest, and the networks. Within the transaction that changes any of them, before its commit;
// durable when it returns.
Result<> write_store_copy(store::Store& store);
Result<StoreCopy> read_store_copy(const store::Store& store);

}  // namespace berth::engine
