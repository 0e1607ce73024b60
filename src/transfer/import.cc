#include "transfer/import.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "engine/container/announce.h"
#include "sys/file.h"
#include "transfer/file_source.h"
#include "transfer/layer_install.h"
#include "transfer/open_archive.h"
#include "transfer/record_layers.h"

namespace berth::transfer {

namespace {

Result<sys::UniqueFd> open_input(const std::string& path) {
  if (path != "-") return sys::open_at(AT_FDCWD, path, O_RDONLY);
  sys::UniqueFd input(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  if (!input) return fail_errno(errno, "read standard input");
  return input;
}

Result<std::string> import_layer(store::Store& store, const ImportRequest& request) {
  WantedLayer wanted;
  wanted.expected.compress = true;
  wanted.open = [&request]() -> Result<std::unique_ptr<ByteSource>> {
    return decompressed(std::make_unique<FileSource>(TRY(open_input(request.path))));
  };
  LayerInstall install(store);
  std::vector<WantedLayer> list;
  list.push_back(std::move(wanted));
  const std::vector<InstalledLayer> layers = TRY(install.run(std::move(list)));
  oci::ImageConfig config = request.config;
  config.created = now_rfc3339();
  config.diff_ids = {TRY(oci::Digest::parse(layers[0].diff_id))};
  const std::string from = request.path == "-" ? "standard input" : request.path;
  oci::HistoryEntry step;
  step.created = config.created;
  step.created_by = "berth import " + request.path;
  step.comment = request.message.empty() ? "Imported from " + from : request.message;
  config.history = {std::move(step)};
  const std::string document = TRY(oci::emit_image_config(config));
  const std::string manifest = TRY(make_manifest(document, layers));
  std::vector<std::string> names;
  if (!request.name.empty()) names.push_back(request.name);
  return record_layers(store, manifest, document, layers, names);
}

}  // namespace

Result<std::string> import_image(store::Store& store, const ImportRequest& request) {
  std::string id = TRY(with_layers_kept(store, [&] { return import_layer(store, request); }));
  engine::announce_image(store, events::kImport, id, request.name);
  return id;
}

}  // namespace berth::transfer
