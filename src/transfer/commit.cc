#include "transfer/commit.h"

#include <memory>
#include <optional>

#include "engine/files/changes.h"
#include "engine/files/container_view.h"
#include "engine/plan_container.h"
#include "transfer/change_layer.h"
#include "transfer/config_change.h"
#include "transfer/export.h"
#include "transfer/file_source.h"
#include "transfer/layer_install.h"
#include "transfer/record_layers.h"

namespace berth::transfer {

namespace {

// The image's own layers are in the store, or at least their blobs are.
Result<std::vector<InstalledLayer>> base_layers(store::Store& store, const std::string& image) {
  std::vector<WantedLayer> wanted;
  for (const store::ImageLayer& layer : TRY(store::image_layers(store, image))) {
    WantedLayer one;
    one.expected.blob = layer.blob;
    one.expected.diff_id = layer.diff_id;
    one.open = [&store, blob = layer.blob]() -> Result<std::unique_ptr<ByteSource>> {
      std::optional<sys::UniqueFd> file = TRY(store::open_blob(store, blob));
      if (!file) return fail("the store's blob {} is missing", blob);
      return std::make_unique<FileSource>(std::move(*file));
    };
    wanted.push_back(std::move(one));
  }
  if (wanted.empty()) return std::vector<InstalledLayer>{};
  return LayerInstall(store).run(std::move(wanted));
}

Result<InstalledLayer> new_layer(store::Store& store, const engine::ContainerView& view,
                                 const engine::Changes& changes, bool whole) {
  WantedLayer wanted;
  wanted.expected.compress = true;
  wanted.open = [&]() -> Result<std::unique_ptr<ByteSource>> {
    std::unique_ptr<FileSequence> files =
        whole ? whole_root(view, changes) : std::make_unique<ChangeLayer>(view, changes);
    return std::make_unique<TarStream>(std::move(files));
  };
  std::vector<WantedLayer> list;
  list.push_back(std::move(wanted));
  std::vector<InstalledLayer> made = TRY(LayerInstall(store).run(std::move(list)));
  return std::move(made.front());
}

void set_variable(std::vector<std::string>& env, const engine::Pair& pair) {
  const std::string prefix = pair.key + "=";
  std::erase_if(env, [&](const std::string& entry) { return entry.starts_with(prefix); });
  env.push_back(prefix + pair.value);
}

void take_over_health(const engine::HealthSpec& spec, oci::ImageConfig& config) {
  oci::Healthcheck check = config.healthcheck.value_or(oci::Healthcheck{});
  const auto take = [](int64_t& into, int64_t value) {
    if (value != 0) into = value;
  };
  if (!spec.test.empty()) check.test = spec.test;
  take(check.interval, spec.interval);
  take(check.timeout, spec.timeout);
  take(check.start_period, spec.start_period);
  take(check.retries, spec.retries);
  if (!check.test.empty()) config.healthcheck = std::move(check);
}

// What a container of the new image is to have without being asked again.
void take_over(const engine::ContainerSpec& spec, oci::ImageConfig& config) {
  // A command that was given with an entrypoint of the person's own has nothing to do with the image's.
  if (spec.entrypoint || !spec.command.empty()) config.cmd = spec.command;
  if (spec.entrypoint) config.entrypoint = *spec.entrypoint;
  for (const engine::Pair& pair : spec.environment) set_variable(config.env, pair);
  for (const engine::Pair& pair : spec.labels) config.labels[pair.key] = pair.value;
  if (!spec.user.empty()) config.user = spec.user;
  if (!spec.working_directory.empty()) config.working_dir = spec.working_directory;
  if (!spec.stop_signal.empty()) config.stop_signal = spec.stop_signal;
  take_over_health(spec.health, config);
}

Result<std::string> new_config(const CommitRequest& request, const engine::RootLayers& layers,
                               std::span<const InstalledLayer> installed) {
  oci::ImageConfig config = layers.config;
  take_over(layers.spec, config);
  for (const std::string& change : request.changes) TRY(apply_change(config, change));
  config.created = now_rfc3339();
  if (!request.author.empty()) config.author = request.author;
  config.diff_ids.clear();
  for (const InstalledLayer& layer : installed)
    config.diff_ids.push_back(TRY(oci::Digest::parse(layer.diff_id)));
  if (request.squash) config.history.clear();
  const Result<std::vector<std::string>> command = engine::command_line(layers.spec, layers.config);
  oci::HistoryEntry step;
  step.created = config.created;
  step.created_by = command ? fmt::format("{}", fmt::join(*command, " ")) : "";
  step.author = request.author;
  step.comment = request.message;
  config.history.push_back(std::move(step));
  return oci::emit_image_config(config);
}

Result<std::string> commit_layers(store::Store& store, const CommitRequest& request) {
  const engine::ContainerView view = TRY(engine::ContainerView::open(store, request.container));
  const engine::Changes changes = TRY(engine::list_changes(view));
  std::vector<InstalledLayer> layers;
  if (!request.squash) layers = TRY(base_layers(store, request.container.image_id));
  layers.push_back(TRY(new_layer(store, view, changes, request.squash)));
  // Its files may have gone while they were read, and then the layer is not what it was.
  const store::ContainerRecord now = TRY(store::find_container(store.db(), request.container.id));
  if (now.state == store::kRemoving) return fail(Code::not_found, "it is being removed");
  const std::string document = TRY(new_config(request, view.layers(), layers));
  const std::string manifest = TRY(make_manifest(document, layers));
  std::vector<std::string> names;
  if (!request.name.empty()) names.push_back(request.name);
  return record_layers(store, manifest, document, layers, names);
}

}  // namespace

Result<std::string> commit_container(store::Store& store, const CommitRequest& request) {
  // A wrong instruction is not to be found after all the work.
  oci::ImageConfig trial;
  for (const std::string& change : request.changes) TRY(apply_change(trial, change));
  TRY(engine::leave_mount_namespace());
  return with_layers_kept(store, [&] { return commit_layers(store, request); });
}

}  // namespace berth::transfer
