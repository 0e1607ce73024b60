#include "transfer_cli/export.h"

#include <unistd.h>

#include "cli/flags.h"
#include "cli/recovered_store.h"
#include "engine/container/announce.h"
#include "store/containers.h"
#include "transfer/export.h"
#include "transfer_cli/output_file.h"

namespace berth::transfer_cli {

namespace {

Result<> write_container(store::Store& store, const store::ContainerRecord& record, int fd) {
  TRY(engine::leave_mount_namespace());
  const engine::ContainerView view = TRY(engine::ContainerView::open(store, record));
  const engine::Changes changes = TRY(engine::list_changes(view));
  transfer::TarStream stream(transfer::whole_root(view, changes));
  return transfer::write_stream(stream, fd);
}

}  // namespace

Result<int> export_container(const cli::Invocation& invocation) {
  std::string name;
  std::string output;
  cli::Flags line(
      invocation, "[flags] CONTAINER",
      "Writes a container's root file system as a tar, to standard output or a file. What is in volumes "
      "is not in\nit; their places are. `berth import` makes an image of it.",
      "  berth export -o job.tar job\n  berth export job | tar -t\n");
  line.value("-o,--output", output, "The file to write, only readable for its owner");
  line.word("container", name, cli::Need::required);
  if (!TRY(line.parse())) return 0;
  if (output.empty() && ::isatty(STDOUT_FILENO) == 1) {
    Error error = fail(Code::usage, "cannot export to a terminal").error();
    return std::unexpected(std::move(error).with_hint("`berth export -o FILE` writes a file."));
  }
  store::Store store = TRY(cli::open_recovered_store(invocation));
  const store::ContainerRecord record = TRY(store::find_container(store.db(), name));
  const auto write = [&](int fd) { return write_container(store, record, fd); };
  TRY_CONTEXT(output.empty() ? write(STDOUT_FILENO) : write_output(output, 0600, write),
              "cannot export \"{}\"", record.name);
  engine::announce(store, record, events::kExport);
  return 0;
}

}  // namespace berth::transfer_cli
