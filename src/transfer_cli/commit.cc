#include "transfer_cli/commit.h"

#include <optional>

#include <fcntl.h>

#include "cli/flags.h"
#include "cli/recovered_store.h"
#include "engine/container/announce.h"
#include "engine/container/stillness.h"
#include "store/local_name.h"
#include "sys/file.h"
#include "transfer/commit.h"

namespace berth::transfer_cli {

Result<int> commit(const cli::Invocation& invocation) {
  transfer::CommitRequest request;
  std::string container;
  std::string name;
  std::string id_file;
  bool pause = false;
  bool quiet = false;
  cli::Flags line(invocation, "[flags] CONTAINER [IMAGE]",
                  "Makes an image of a container: its image's layers, and one more with what it has changed. "
                  "Prints its ID.\nWhat is in volumes is not in it.",
                  "  berth commit job demo:mine\n"
                  "  berth commit -c 'CMD [\"serve\"]' -c 'ENV MODE=fast' -m 'with data' job demo:ready\n");
  line.value("-a,--author", request.author, "Who made it");
  line.list("-c,--change", request.changes, "An instruction of a Dockerfile: CMD, ENTRYPOINT, ENV, …");
  line.value("--iidfile", id_file, "A file to write the image's ID to");
  line.value("-m,--message", request.message, "A remark for the image's history");
  line.flag("-p,--pause", pause, "Hold the container still meanwhile");
  line.flag("-q,--quiet", quiet, "Accepted for scripts: only the ID is printed anyway");
  line.flag("-s,--squash", request.squash,
            "One layer with all of it, in the place of one on top of the image's");
  line.word("container", container, cli::Need::required);
  line.word("image", name, cli::Need::optional);
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(cli::open_recovered_store(invocation));
  request.container = TRY(store::find_container(store.db(), container));
  const std::string doing = fmt::format("cannot commit \"{}\"", request.container.name);
  if (!name.empty()) request.name = TRY_CONTEXT(store::local_name(name), "{}", doing);
  std::optional<engine::Stillness> still;
  if (pause) still.emplace(TRY_CONTEXT(engine::Stillness::begin(store, request.container), "{}", doing));
  const std::string id = TRY_CONTEXT(transfer::commit_container(store, request), "{}", doing);
  still.reset();
  engine::announce(store, request.container, events::kCommit);
  if (!id_file.empty()) {
    const sys::UniqueFd file = TRY(sys::open_at(AT_FDCWD, id_file, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    TRY_CONTEXT(sys::write_all(file.get(), id), "write {}", id_file);
  }
  fmt::print("{}\n", id);
  return 0;
}

}  // namespace berth::transfer_cli
