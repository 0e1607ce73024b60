// `berth diff`: what a container has changed in its root file system.
#include <nlohmann/json.hpp>

#include "cli/containers.h"
#include "cli/flags.h"
#include "cli/json_text.h"
#include "cli/recovered_store.h"
#include "engine/files/changes.h"
#include "store/containers.h"

namespace berth::cli {

namespace {

struct Kind {
  char letter;
  const char* name;
};

Kind kind_of(const engine::Change& change) {
  if (change.kind == engine::ChangeKind::added) return {'A', "added"};
  if (change.kind == engine::ChangeKind::deleted) return {'D', "deleted"};
  return {'C', "changed"};
}

void print_as_json(const std::vector<engine::Change>& changes) {
  nlohmann::ordered_json lists = nlohmann::ordered_json::object();
  for (const engine::Change& change : changes)
    lists[kind_of(change).name].push_back(printable("/" + change.path));
  print_json(lists);
}

}  // namespace

Result<int> diff(const Invocation& invocation) {
  std::string name;
  std::string format;
  Flags line(invocation, "[flags] CONTAINER",
             "Lists what a container has changed in its files since it was made: C changed, A added, D "
             "deleted.\nWhat is in volumes, and what berth itself puts there, is not among it.",
             "  berth diff job\n  berth diff --format json job\n");
  line.value("--format", format, "json: lists of changed, added and deleted paths", {.choices = {"json"}});
  line.word("container", name, Need::required);
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(open_recovered_store(invocation));
  const store::ContainerRecord record = TRY(store::find_container(store.db(), name));
  const auto look = [&]() -> Result<engine::Changes> {
    TRY(engine::leave_mount_namespace());
    const engine::ContainerView view = TRY(engine::ContainerView::open(store, record));
    return engine::list_changes(view);
  };
  const engine::Changes changes = TRY_CONTEXT(look(), "cannot list the changes of \"{}\"", record.name);
  if (format == "json") {
    print_as_json(changes.list);
    return 0;
  }
  for (const engine::Change& change : changes.list)
    fmt::print("{} {}\n", kind_of(change).letter, printable("/" + change.path));
  return 0;
}

}  // namespace berth::cli
