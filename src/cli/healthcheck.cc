#include "cli/containers.h"
#include "cli/flags.h"
#include "cli/harmless_program.h"
#include "cli/run_program.h"
#include "engine/container/announce.h"
#include "engine/run_health_check.h"
#include "store/images.h"
#include "sys/companion.h"

namespace berth::cli {

namespace {

struct Prepared {
  store::ContainerRecord record;
  engine::HealthCheck check;
  int64_t started_at = 0;
  Result<engine::PreparedExec> exec;
};

Result<Prepared> prepare(const Invocation& invocation, const std::string& name) {
  store::Store store = TRY(open_store(invocation));
  store::ContainerRecord record = TRY(store::find_container(store.db(), name));
  const engine::ContainerSpec spec = TRY(engine::container_spec_from_json(record.spec));
  const store::ImageRecord image = TRY(store::find_image(store, record.image_id));
  const oci::ImageConfig config = TRY(oci::parse_image_config(image.config));
  std::optional<engine::HealthCheck> check = engine::health_check_of(spec, config);
  if (!check) {
    Error error{Code::usage, 0, fmt::format("container \"{}\" has no health check", record.name), {}};
    return std::unexpected(std::move(error).with_hint("`berth run --health-cmd` gives it one."));
  }
  const std::optional<engine::LiveStatus> live = engine::live_status(store, record.id);
  Result<engine::PreparedExec> exec = engine::prepare_exec(store, record, engine::wish_of(*check), nullptr);
  // One that does not run, or is paused, is neither healthy nor not.
  if (!exec && exec.error().code == Code::conflict) return std::unexpected(exec.error());
  return Prepared{std::move(record), std::move(*check), live ? live->started_at : 0, std::move(exec)};
}

// The store is open for as long as that takes.
Result<engine::HealthState> record(const Invocation& invocation, const Prepared& prepared,
                                   const engine::HealthResult& result) {
  store::Store store = TRY(open_store(invocation));
  const store::ContainerRecord& container = prepared.record;
  engine::HealthChange change =
      TRY(engine::record_health(store, container.id, result, prepared.check, prepared.started_at));
  if (change.after.status != change.before.status) {
    engine::announce(store, container, events::kHealthStatus,
                     {{std::string(events::kHealth), change.after.status}});
  }
  return std::move(change.after);
}

// --health-on-failure: the command of that name. The container's end may be its monitor's and thereby that of
// who began this, but is not this one's.
Result<> act(const Invocation& invocation, const std::string& what, const std::string& id) {
  // The ID that it prints is no answer to what was asked.
  const std::string program = TRY(sys::own_program_path());
  TRY(run_program(invocation, program, {what, id}));
  return {};
}

}  // namespace

Result<int> run_healthcheck(const Invocation& invocation) {
  std::string name;
  Flags line(
      invocation, "CONTAINER",
      "Runs a container's health check now, beside those that its monitor runs, and counts the outcome "
      "with\n"
      "theirs. The exit status is 0 if the check says that the container is well, 1 if not, and 125 if "
      "there is no\n"
      "check, or the container does not run.",
      "  berth healthcheck run web && echo well\n");
  line.word("container", name, Need::required);
  if (!TRY(line.parse())) return 0;
  TRY(settle_descriptors(invocation));
  const Prepared prepared = TRY(prepare(invocation, name));
  std::optional<engine::HealthResult> result;
  if (prepared.exec) {
    TRY(leave_writable_program(invocation, *prepared.exec));
    result = TRY(engine::run_check(*prepared.exec, prepared.check));
  } else {
    result = engine::failed_check(prepared.exec.error());
  }
  if (!result) return fail(Code::conflict, "container \"{}\" has ended", prepared.record.name);
  const engine::HealthState state = TRY(record(invocation, prepared, *result));
  if (result->exit_code == 0) return 0;
  if (state.status == engine::kUnhealthy && !prepared.check.on_failure.empty())
    TRY(act(invocation, prepared.check.on_failure, prepared.record.id));
  fmt::print("{}\n", state.status);
  return 1;
}

}  // namespace berth::cli
