// `berth-runtime state`.
#include "lifecycle/record.h"
#include "runtime_cli/command.h"

namespace berth::runtime_cli {

namespace {

Result<> print_state(const lifecycle::Root& root, const std::string& id) {
  const sys::UniqueFd directory = TRY(lifecycle::look_into(root, id));
  const lifecycle::Record record = TRY(lifecycle::read_record(directory.get()));
  const bundle::Status status = TRY(lifecycle::status_of(directory.get(), record));
  fmt::print("{}\n", TRY(lifecycle::state_text(record, status)));
  return {};
}

}  // namespace

Result<int> state_command(const Invocation& invocation) {
  return act_on_container(invocation,
                          "Prints the state of a container as JSON (runtime-spec, runtime.md, \"State\").",
                          "  berth-runtime state web\n", print_state);
}

}  // namespace berth::runtime_cli
