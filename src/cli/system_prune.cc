// `berth system prune`: all that nothing needs.
#include <algorithm>
#include <cstdio>

#include "cli/confirm.h"
#include "cli/flags.h"
#include "cli/image_text.h"
#include "cli/prune.h"
#include "cli/recovered_store.h"
#include "cli/system.h"
#include "engine/disk_use.h"

namespace berth::cli {

namespace {

struct PruneFlags {
  bool all = false;
  bool force = false;
  bool volumes = false;
  std::vector<std::string> filters;
};

std::string consequence(const PruneFlags& flags) {
  std::string text =
      "This removes\n  all containers that do not run, and what is in them\n"
      "  all networks that no container is in\n";
  if (flags.volumes) text += "  all volumes that no container uses, and what is in them\n";
  text += fmt::format("  all images {}that no container is made from\n", flags.all ? "" : "without a name ");
  return text + "  all copies of images for other IDs that no container needs";
}

Result<int> prune(store::Store& store, const PruneFlags& flags, const PruneFilters& filters) {
  const auto volumes = flags.volumes ? engine::MeasureVolumes::yes : engine::MeasureVolumes::no;
  const int64_t before = TRY(engine::disk_use(store, volumes)).bytes();
  fmt::print("Deleted containers:\n");
  const std::vector<store::ContainerRecord> containers = TRY(prunable_containers(store, filters));
  TRY(remove_containers(store, containers));
  fmt::print("Deleted networks:\n");
  TRY(remove_unused_networks(store, filters));
  if (flags.volumes) {
    fmt::print("Deleted volumes:\n");
    const std::vector<std::string> unused = TRY(prunable_volumes(store, flags.filters));
    TRY(remove_unused_volumes(store, unused));
  }
  fmt::print("Deleted images:\n");
  const int status = TRY(remove_unneeded_images(store, flags.all, filters));
  const int64_t after = TRY(engine::disk_use(store, volumes)).bytes();
  fmt::print("Total reclaimed space: {}\n", human_size(std::max<int64_t>(before - after, 0)));
  return status;
}

}  // namespace

Result<int> system_prune(const Invocation& invocation) {
  PruneFlags flags;
  Flags line(invocation, "[flags]",
             "Removes what nothing needs: containers that do not run, networks without containers, images "
             "without a name that no container is "
             "made from,\ncopies of images for other IDs, with --volumes volumes that no container uses.",
             "  berth system prune --force\n  berth system prune --all --volumes --filter until=72h\n");
  line.flag("-a,--all", flags.all,
            "Every image that no container is made from, not only those without a name");
  line.list("--filter", flags.filters, "until=, label= or label!=");
  line.flag("-f,--force", flags.force, "Do not ask");
  line.flag("--volumes", flags.volumes, "Volumes too");
  if (!TRY(line.parse())) return 0;
  const PruneFilters filters = TRY(PruneFilters::parse(flags.filters));
  store::Store store = TRY(open_recovered_store(invocation));
  if (!flags.force && !confirmed(consequence(flags))) return 0;
  return prune(store, flags, filters);
}

}  // namespace berth::cli
