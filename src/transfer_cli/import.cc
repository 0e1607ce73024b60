#include "transfer_cli/import.h"

#include <unistd.h>

#include "cli/flags.h"
#include "store/local_name.h"
#include "transfer/config_change.h"
#include "transfer/import.h"

namespace berth::transfer_cli {

Result<int> import(const cli::Invocation& invocation) {
  transfer::ImportRequest request;
  std::string name;
  std::string platform;
  std::vector<std::string> changes;
  bool quiet = false;
  cli::Flags line(
      invocation, "[flags] FILE [NAME]",
      "Makes an image with one layer from a root file system's tar, compressed or not; - is standard input.",
      "  berth import -c 'CMD [\"/bin/bash\"]' rootfs.tar.xz debian:mine\n");
  line.list("-c,--change", changes, "An instruction of a Dockerfile: CMD, ENTRYPOINT, ENV, …");
  line.value("-m,--message", request.message, "A remark for the image's history");
  line.value("--platform", platform, "What the image is for, instead of this machine: linux/arm64");
  line.flag("-q,--quiet", quiet, "Accepted for scripts: only the ID is printed anyway");
  line.word("file", request.path, cli::Need::required);
  line.word("name", name, cli::Need::optional);
  if (!TRY(line.parse())) return 0;
  request.config.platform = oci::host_platform();
  if (!platform.empty()) request.config.platform = TRY(oci::parse_platform(platform));
  for (const std::string& change : changes) TRY(transfer::apply_change(request.config, change));
  if (!name.empty())
    request.name = TRY_CONTEXT(store::local_name(name), "cannot import \"{}\"", request.path);
  if (request.path.starts_with("http://") || request.path.starts_with("https://")) {
    Error error = fail(Code::usage, "cannot import \"{}\": only files are imported", request.path).error();
    return std::unexpected(std::move(error).with_hint(
        fmt::format("`curl -fL {} | berth import - NAME` does it.", request.path)));
  }
  if (request.path == "-" && ::isatty(STDIN_FILENO) == 1) {
    return fail(Code::usage, "cannot import: standard input is a terminal");
  }
  store::Store store = TRY(cli::open_store(invocation));
  const std::string id =
      TRY_CONTEXT(transfer::import_image(store, request), "cannot import \"{}\"", request.path);
  fmt::print("{}\n", id);
  return 0;
}

}  // namespace berth::transfer_cli
