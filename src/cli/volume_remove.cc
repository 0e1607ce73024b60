// `berth volume rm` and `berth volume prune`.
#include "cli/confirm.h"
#include "cli/flags.h"
#include "cli/prune.h"
#include "cli/recovered_store.h"
#include "cli/remove_each.h"
#include "cli/volume_filters.h"
#include "cli/volumes.h"
#include "engine/remove.h"

namespace berth::cli {

namespace {

Result<> remove_users(store::Store& store, const std::string& name) {
  const Result<engine::Volume> volume = engine::find_volume(store, name);
  if (!volume) return std::unexpected(volume.error());
  for (const std::string& id : volume->containers) TRY(engine::kill_and_remove_container(store, id));
  return {};
}

Result<> remove_one(store::Store& store, const std::string& name, bool force) {
  if (force) TRY(remove_users(store, name));
  const Result<> removed = engine::remove_volume(store, name);
  // One without a name may have gone with its container.
  if (!removed && force && removed.error().code == Code::not_found) return {};
  return removed;
}

std::string consequence(const std::vector<std::string>& volumes) {
  std::string text = "This removes all volumes that no container uses, and what is in them:";
  for (const std::string& name : volumes) text += "\n  " + name;
  return text;
}

}  // namespace

Result<int> remove_volumes(const Invocation& invocation) {
  bool all = false;
  bool force = false;
  std::vector<std::string> names;
  Flags line(
      invocation, "[flags] VOLUME [VOLUME...]",
      "Removes volumes and what is in them. A beginning that only one volume has will do for its name. "
      "Prints their\n"
      "names. The exit status is 1 if one is not there, 2 if a container uses one.",
      "  berth volume rm data\n  berth volume rm --all\n");
  line.flag("-a,--all", all, "All volumes");
  line.flag("-f,--force", force, "Remove the containers that use them first, running or not");
  line.words("volumes", names, Need::optional);
  if (!TRY(line.parse())) return 0;
  if (names.empty() != all)
    return fail(Code::usage, "berth {}: name volumes or give --all, one of the two", invocation.name);
  store::Store store = TRY(open_recovered_store(invocation));
  if (all) {
    for (const engine::Volume& volume : TRY(engine::list_volumes(store))) names.push_back(volume.name);
  }
  return remove_each(names, [&](const std::string& word) -> Result<bool> {
    const Result<std::string> name = engine::volume_called(store, word);
    const bool missing = !name && name.error().code == Code::not_found;
    if (!name && !(force && missing)) return std::unexpected(name.error());
    if (!name) return true;
    TRY(remove_one(store, *name, force));
    // Its whole name, as podman has it.
    fmt::print("{}\n", *name);
    return false;
  });
}

Result<std::vector<std::string>> prunable_volumes(store::Store& store, std::vector<std::string> filters) {
  std::vector<engine::Volume> all = TRY(engine::list_volumes(store));
  filters.emplace_back("dangling=true");
  std::vector<std::string> names;
  for (const engine::Volume& volume : TRY(filtered(std::move(all), filters))) names.push_back(volume.name);
  return names;
}

Result<> remove_unused_volumes(store::Store& store, const std::vector<std::string>& names) {
  return remove_unused(
      names, [&](const std::string& name) { return engine::remove_volume(store, name); },
      [](const std::string& name) { return name; });
}

Result<int> prune_volumes(const Invocation& invocation) {
  bool force = false;
  std::vector<std::string> filters;
  Flags line(invocation, "[flags]", "Removes the volumes that no container uses. Prints their names.",
             "  berth volume prune --force\n  berth volume prune --filter label=team=web\n"
             "  berth volume prune --filter until=24h     # those that were made before that\n");
  line.list("--filter", filters, "name=, label=, label!= or until=");
  line.flag("-f,--force", force, "Do not ask");
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(open_recovered_store(invocation));
  const std::vector<std::string> unused = TRY(prunable_volumes(store, std::move(filters)));
  if (unused.empty() || (!force && !confirmed(consequence(unused)))) return 0;
  TRY(remove_unused_volumes(store, unused));
  return 0;
}

}  // namespace berth::cli
