#include "transfer_cli/save.h"

#include <algorithm>

#include <unistd.h>

#include "cli/flags.h"
#include "engine/container/announce.h"
#include "oci/reference.h"
#include "transfer/save.h"
#include "transfer_cli/output_file.h"

namespace berth::transfer_cli {

namespace {

// Each image once, with the names that it was asked for by.
Result<std::vector<transfer::ImageToSave>> find_images(store::Store& store,
                                                       const std::vector<std::string>& words) {
  std::vector<transfer::ImageToSave> images;
  for (const std::string& word : words) {
    store::ImageRecord image = TRY_CONTEXT(store::find_image(store, word), "cannot save \"{}\"", word);
    const auto same = std::find_if(images.begin(), images.end(), [&](const transfer::ImageToSave& other) {
      return other.image.id == image.id;
    });
    std::vector<std::string> names;
    // A name by digest is no name that one could give.
    if (!image.name.empty() && image.name.find('@') == std::string::npos) names.push_back(image.name);
    if (same == images.end()) {
      images.push_back({std::move(image), std::move(names)});
    } else {
      same->names.insert(same->names.end(), names.begin(), names.end());
    }
  }
  return images;
}

}  // namespace

Result<int> save(const cli::Invocation& invocation) {
  std::string output;
  std::string format_name = "docker-archive";
  std::vector<std::string> words;
  bool quiet = false;
  bool multi = false;
  cli::Flags line(
      invocation, "[flags] IMAGE [IMAGE...]", "Writes images to an archive or an OCI layout.",
      "  berth save -o busybox.tar busybox\n  berth save --format oci-dir -o layout busybox alpine\n");
  line.value("-o,--output", output, "Write to a file (a directory for oci-dir) instead of standard output");
  line.value("--format", format_name, "docker-archive, oci-archive or oci-dir");
  line.flag("-q,--quiet", quiet, "Accepted for scripts: nothing is printed anyway");
  line.flag("-m,--multi-image-archive", multi, "Accepted for scripts: all arguments are images anyway");
  line.words("images", words, cli::Need::required);
  if (!TRY(line.parse())) return 0;
  const transfer::SaveFormat format = TRY(transfer::parse_save_format(format_name));
  const bool to_directory = format == transfer::SaveFormat::oci_directory;
  if (output.empty() && (to_directory || ::isatty(STDOUT_FILENO) == 1)) {
    const std::string_view why =
        to_directory ? "a directory needs a name" : "an archive is not for a terminal";
    Error error = fail(Code::usage, "cannot save: {}", why).error();
    return std::unexpected(std::move(error).with_hint("Name the output with -o, or redirect it."));
  }
  store::Store store = TRY(cli::open_store(invocation));
  const std::vector<transfer::ImageToSave> images = TRY(find_images(store, words));
  if (to_directory) {
    TRY_CONTEXT(transfer::save_directory(store, images, output), "cannot save to \"{}\"", output);
  } else if (output.empty() || output == "-") {
    TRY_CONTEXT(transfer::save_archive(store, images, format, STDOUT_FILENO),
                "cannot save to standard output");
  } else {
    const auto write = [&](int fd) { return transfer::save_archive(store, images, format, fd); };
    TRY_CONTEXT(write_output(output, 0644, write), "cannot save to \"{}\"", output);
  }
  for (const transfer::ImageToSave& saved : images)
    engine::announce_image(store, events::kSave, saved.image.id, saved.image.name);
  return 0;
}

}  // namespace berth::transfer_cli
