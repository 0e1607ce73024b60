#include "engine/start_again.h"

#include "base/log.h"
#include "config/load.h"
#include "engine/container/container_cgroup.h"
#include "engine/ids/id_decision.h"
#include "engine/ids/kept_groups.h"
#include "engine/ids/namespaces.h"
#include "engine/ids/project_rules.h"
#include "engine/ids/resource_rules.h"
#include "engine/volumes/open_directories.h"

namespace berth::engine {

namespace {

// Gives the image.
Result<store::ImageRecord> check_may_start(store::Store& store, const store::ContainerRecord& record,
                                           const ContainerSpec& spec, const config::Config& config) {
  TRY(check_recorded(record, spec, config));
  const IdDecision ids = TRY(recorded_maps(record));
  TRY(check_open_directories(spec, ids.users, config));
  store::ImageRecord image = TRY(store::find_image(store, record.image_id));
  const Caller caller = caller_from_environment();
  TRY(check_project_still(store.db(), config, caller.name, image, spec));
  TRY(check_resources(store.db(), config, caller.name, spec));
  TRY(take_kept_groups(spec, config, caller));
  return image;
}

}  // namespace

Result<StartedAgain> start_again(store::Store& store, const LockedContainer& container,
                                 StartOptions options) {
  const store::ContainerRecord& record = container.record;
  ContainerSpec spec = TRY(container_spec_from_json(record.spec));
  const config::Config config = TRY(config::load(config::sources_from_environment()));
  const store::ImageRecord image =
      TRY_CONTEXT(check_may_start(store, record, spec, config), "cannot start \"{}\"", record.name);
  const runtime::Namespaces namespaces =
      TRY_CONTEXT(namespaces_of(store, record, spec), "cannot start \"{}\"", record.name);
  const monitor::CgroupRequest cgroup =
      TRY_CONTEXT(cgroup_request(record.id, spec.resources, config), "cannot start \"{}\"", record.name);
  MonitorProcess monitor = TRY(spawn_monitor(record.id, namespaces, cgroup));
  options.interactive = options.interactive && spec.interactive;
  if (!options.by_policy) TRY(store::forget_container_restarts(store.db(), record.id));
  Session session = TRY(start_container(store, container, std::move(monitor), image, options));
  TRY(store::confirm_container_started(store.db(), record.id, session.started.started_at));
  return StartedAgain{std::move(session), std::move(spec)};
}

}  // namespace berth::engine
