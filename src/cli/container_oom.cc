#include "cli/containers.h"
#include "cli/flags.h"
#include "engine/container/announce.h"

namespace berth::cli {

Result<int> tell_out_of_memory(const Invocation& invocation) {
  std::string id;
  Flags line(invocation, "ID",
             "What berth-monitor executes when its container has run out of memory and goes on.",
             "  berth container oom ID\n");
  line.word("id", id, Need::required);
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(open_store(invocation));
  engine::announce(store, TRY(store::find_container(store.db(), id)), events::kOom);
  return 0;
}

}  // namespace berth::cli
