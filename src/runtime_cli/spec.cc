// `berth-runtime spec`.
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "bundle/default_config.h"
#include "runtime_cli/command.h"
#include "sys/file.h"

namespace berth::runtime_cli {

Result<int> spec_command(const Invocation& invocation) {
  std::string bundle = ".";
  std::string file = "config.json";
  bool rootless = false;
  flags::Flags line(
      invocation, "[flags]",
      "Writes a config.json to begin with: a shell in the root file system \"rootfs\" beside it.",
      "  berth-runtime spec --bundle /srv/web\n");
  line.value("-b,--bundle", bundle, "The directory to write it to (the current one)", {.shown = "DIR"});
  line.value("-f,--file", file, "Another name than config.json", {.shown = "FILE"});
  line.flag("--rootless", rootless, "With a user namespace in which you are root");
  if (!TRY(line.parse())) return 0;
  std::optional<bundle::RootlessIds> ids;
  if (rootless) ids = bundle::RootlessIds{::geteuid(), ::getegid()};
  const sys::UniqueFd directory = TRY(sys::open_at(AT_FDCWD, bundle, O_RDONLY | O_DIRECTORY));
  Result<sys::UniqueFd> made = sys::open_at(directory.get(), file, O_WRONLY | O_CREAT | O_EXCL, 0644);
  if (!made && made.error().err == EEXIST)
    return fail(Code::conflict, "there is a file {} in {}; it is not replaced", file, bundle);
  if (!made) return std::unexpected(made.error());
  TRY_CONTEXT(sys::write_all(made->get(), bundle::default_config(ids)), "write {}", file);
  return 0;
}

}  // namespace berth::runtime_cli
