// `berth-runtime state`.
#include "lifecycle/record.h"
#include "runtime_cli/command.h"

namespace berth::runtime_cli {

Result<int> state_command(const Invocation& invocation) {
  std::string id;
  flags::Flags line(invocation, "ID",
                    "Prints the state of a container as JSON (runtime-spec, runtime.md, \"State\").",
                    "  berth-runtime state web\n");
  line.word("id", id, flags::Need::required);
  if (!TRY(line.parse())) return 0;
  const lifecycle::Root root = TRY(open_root(invocation));
  const sys::UniqueFd directory = TRY(lifecycle::look_into(root, id));
  const lifecycle::Record record = TRY(lifecycle::read_record(directory.get()));
  const bundle::Status status = TRY(lifecycle::status_of(directory.get(), record));
  fmt::print("{}\n", TRY(lifecycle::state_text(record, status)));
  return 0;
}

}  // namespace berth::runtime_cli
