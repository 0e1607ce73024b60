#include "transfer_cli/load.h"

#include <unistd.h>

#include "cli/flags.h"
#include "transfer/load.h"

namespace berth::transfer_cli {

Result<int> load(const cli::Invocation& invocation) {
  std::string input = "-";
  bool quiet = false;
  cli::Flags line(
      invocation, "[flags]",
      "Loads images from a docker-archive, an oci-archive or a directory with an OCI layout. Archives may be "
      "compressed.",
      "  berth load -i images.tar\n  podman save app | berth load\n");
  line.value("-i,--input", input, "Read from a file or a directory instead of standard input");
  line.flag("-q,--quiet", quiet, "Accepted for scripts: only what was loaded is printed anyway");
  if (!TRY(line.parse())) return 0;
  if (input == "-" && ::isatty(STDIN_FILENO) == 1) {
    Error error = fail(Code::usage, "cannot load: standard input is a terminal").error();
    return std::unexpected(std::move(error).with_hint("Name an archive with -i, or redirect one here."));
  }
  store::Store store = TRY(cli::open_store(invocation));
  const std::string what = input == "-" ? "standard input" : fmt::format("\"{}\"", input);
  const std::vector<transfer::LoadedImage> images =
      TRY_CONTEXT(transfer::load_images_from(store, input), "cannot load {}", what);
  for (const transfer::LoadedImage& image : images) {
    for (const std::string& name : image.names) fmt::print("Loaded image: {}\n", name);
    if (image.names.empty()) fmt::print("Loaded image: {}\n", image.id);
  }
  return 0;
}

}  // namespace berth::transfer_cli
