// `berth rename`.
#include "engine/rename.h"

#include "cli/containers.h"
#include "cli/flags.h"
#include "cli/recovered_store.h"

namespace berth::cli {

Result<int> rename(const Invocation& invocation) {
  std::string container;
  std::string name;
  Flags line(invocation, "CONTAINER NAME", "Gives a container another name, whether it runs or not.",
             "  berth rename brisk_lugger web\n");
  line.word("container", container, Need::required);
  line.word("name", name, Need::required);
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(open_recovered_store(invocation));
  TRY_CONTEXT(engine::rename_container(store, container, name), "cannot rename \"{}\"", container);
  return 0;
}

}  // namespace berth::cli
