// Everything that says who has which IDs on this host, as of one look: files, processes, the ledger, the
// containers. The picture (id_space.h) and the audit (audit.h) are drawn from it and ask nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/error.h"
#include "base/ids.h"
#include "engine/audit/id_files.h"
#include "engine/audit/running_ids.h"
#include "idmap/id_map.h"
#include "idmap/id_range.h"
#include "ledger/banks.h"
#include "store/store.h"

namespace berth::engine {

struct BankFacts {
  Bank bank;
  std::optional<ledger::Owner> owner{};  // nullopt: it rests
  std::string owner_name{};              // what the owner is called; of one that is gone, what is left of it
  int64_t since = 0;                     // seconds since 1970: of the owner, or of the rest
};

// A volume that a container has, and the IDs on its disk that are somebody's in the container: what its maps
// have inside, or what the mount's own idmap= says.
struct VolumeUse {
  std::string name{};
  std::vector<idmap::IdRange> users{};
  std::vector<idmap::IdRange> groups{};
};

struct ContainerFacts {
  std::string id{};
  std::string name{};
  std::string project{};  // empty: none
  pid_t pid = 0;          // of its first process; 0: it does not run
  bool host_ids = false;  // no map: its IDs are the host's
  std::string network{};
  std::string userns{};  // as --userns has it
  bool allow_shared_ids = false;
  // Its maps; empty where they can't be read, and with host_ids.
  std::vector<idmap::Extent> users{};
  std::vector<idmap::Extent> groups{};
  std::vector<Bank> banks{};             // its own and those that it uses
  std::vector<idmap::IdRange> ranges{};  // what it maps outside all banks
  std::vector<VolumeUse> volumes{};
};

// A tenant: the IDs that its containers run as are this range inside.
struct ProjectFacts {
  std::string name{};
  int64_t number = 0;
  idmap::IdRange assigned{};
};

struct IdFacts {
  std::vector<IdLine> lines{};
  RunningIds running{};
  std::vector<BankFacts> banks{};            // in ascending order
  std::vector<ContainerFacts> containers{};  // by name
  std::vector<ProjectFacts> projects{};      // by number
};

// Looks. `host` names the places where the files and the processes are.
Result<IdFacts> look_at_ids(store::Store& store, const ledger::HostSources& host = {});

// "bank 3", by the number that people use.
std::string name_of(Bank bank);
// "container web", "project shop", "the name db".
std::string name_of_owner(const BankFacts& bank);
// "524288-589823", "1000".
std::string text_of(const idmap::IdRange& ids);

}  // namespace berth::engine
