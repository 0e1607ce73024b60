// `berth pause` and `berth unpause`.
#include "engine/container/pause.h"

#include "cli/containers.h"
#include "cli/flags.h"
#include "cli/recovered_store.h"
#include "engine/container/status.h"

namespace berth::cli {

namespace {

struct Words {
  bool all = false;
  std::vector<std::string> names;
};

// Of each what was asked for is printed; the others are done even if one can't be.
int each(store::Store& store, const Words& words,
         Result<> (*act)(store::Store&, const store::ContainerRecord&)) {
  int status = 0;
  for (const std::string& name : words.names) {
    const Result<store::ContainerRecord> record = store::find_container(store.db(), name);
    const Result<> done = record ? act(store, *record) : Result<>(std::unexpected(record.error()));
    if (done) {
      fmt::print("{}\n", name);
    } else {
      fmt::print(stderr, "{}", render("berth", done.error()));
      status = exit_status(done.error().code);
    }
  }
  return status;
}

// With --all those that run, and are paused or not.
Result<> add_all(store::Store& store, bool paused, Words& words) {
  for (const store::ContainerRecord& record : TRY(store::list_containers(store.db()))) {
    if (engine::live_status(store, record.id) && engine::is_paused(store, record.id) == paused)
      words.names.push_back(record.id);
  }
  return {};
}

Result<> check(const Invocation& invocation, const Words& words) {
  if (words.names.empty() != words.all)
    return fail(Code::usage, "berth {}: name containers or give --all, one of the two", invocation.name);
  return {};
}

}  // namespace

Result<int> pause(const Invocation& invocation) {
  Words words;
  Flags line(invocation, "[flags] CONTAINER [CONTAINER...]",
             "Holds all processes of containers still until `berth unpause`. Prints what was asked for, a "
             "line each.",
             "  berth pause job\n  berth pause --all\n");
  line.flag("-a,--all", words.all, "All that run");
  line.words("containers", words.names, Need::optional);
  if (!TRY(line.parse())) return 0;
  TRY(check(invocation, words));
  store::Store store = TRY(open_recovered_store(invocation));
  if (words.all) TRY(add_all(store, false, words));
  return each(store, words, engine::pause_container);
}

Result<int> unpause(const Invocation& invocation) {
  Words words;
  Flags line(invocation, "[flags] CONTAINER [CONTAINER...]",
             "Lets containers go on that `berth pause` has held. Prints what was asked for, a line each.",
             "  berth unpause job\n");
  line.flag("-a,--all", words.all, "All that are paused");
  line.words("containers", words.names, Need::optional);
  if (!TRY(line.parse())) return 0;
  TRY(check(invocation, words));
  store::Store store = TRY(open_recovered_store(invocation));
  if (words.all) TRY(add_all(store, true, words));
  return each(store, words, engine::unpause_container);
}

}  // namespace berth::cli
