#include "engine/update.h"

#include "cli/containers.h"
#include "cli/flags.h"
#include "cli/recovered_store.h"
#include "cli/resource_flags.h"
#include "engine/container/container_spec.h"

namespace berth::cli {

Result<int> update(const Invocation& invocation) {
  ResourceFlags flags;
  std::optional<std::string> restart;
  std::string name;
  Flags line(invocation, "[flags] CONTAINER",
             "Changes what a container may use, and whether it is started again: at once, if it runs, and "
             "for its next "
             "starts.\nPrints its ID.",
             "  berth update --memory 512m --cpus 2 web\n  berth update --pids-limit -1 web\n"
             "  berth update --restart on-failure:3 web\n");
  add_limit_flags(line, flags);
  line.value("--restart", restart, "When it ends: no, on-failure[:N], always or unless-stopped",
             {.shown = "POLICY"});
  line.word("container", name, Need::required);
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(open_recovered_store(invocation));
  const store::ContainerRecord record = TRY(store::find_container(store.db(), name));
  engine::ContainerUpdate update;
  if (restart) update.restart = TRY(engine::parse_restart_policy(*restart));
  if (flags != ResourceFlags()) {
    update.resources = TRY(engine::container_spec_from_json(record.spec)).resources;
    TRY(apply_resource_flags(flags, *update.resources));
  }
  TRY(engine::update_container(store, record, update));
  fmt::print("{}\n", record.id);
  return 0;
}

}  // namespace berth::cli
