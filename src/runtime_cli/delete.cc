// `berth-runtime delete`.
#include "lifecycle/remove.h"
#include "runtime_cli/command.h"

namespace berth::runtime_cli {

Result<int> delete_command(const Invocation& invocation) {
  std::string id;
  bool force = false;
  flags::Flags line(
      invocation, "[flags] ID",
      "Removes what is left of a container that has ended or was never started: its cgroup and its state.",
      "  berth-runtime delete web\n  berth-runtime delete --force web\n");
  line.flag("-f,--force", force, "Kill it first if it runs; one that is not there is no error");
  line.word("id", id, flags::Need::required);
  if (!TRY(line.parse())) return 0;
  const lifecycle::Root root = TRY(open_root(invocation));
  TRY(lifecycle::remove_container(root, id, force));
  return 0;
}

}  // namespace berth::runtime_cli
