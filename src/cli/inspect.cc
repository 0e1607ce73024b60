#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/containers.h"
#include "cli/flags.h"
#include "cli/images.h"
#include "cli/inspect_health.h"
#include "cli/inspect_network.h"
#include "cli/inspect_resources.h"
#include "cli/json_text.h"
#include "cli/named_or_latest.h"
#include "cli/networks.h"
#include "cli/recovered_store.h"
#include "cli/template_rows.h"
#include "cli/times.h"
#include "cli/volumes.h"
#include "engine/container/container_cgroup.h"
#include "engine/container/pause.h"
#include "engine/container/unfinished.h"
#include "engine/plan_container.h"
#include "engine/volumes/prepare_mounts.h"
#include "engine/volumes/volume_admin.h"
#include "idmap/id_map.h"
#include "ledger/networks.h"
#include "monitor/protocol.h"
#include "store/containers.h"
#include "store/images.h"
#include "sys/tree_size.h"

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;

Json describe_state(const store::Store& store, const store::ContainerRecord& recorded) {
  const store::ContainerRecord record = engine::as_it_is(store, recorded);
  const std::optional<engine::LiveStatus> live = engine::live_status(store, record.id);
  const bool paused = live && engine::is_paused(store, record.id);
  const std::string unfinished = live ? std::string() : engine::unfinished_text(store, record.id);
  const auto time = [](const std::optional<int64_t>& value) {
    return value ? rfc3339(std::chrono::nanoseconds(*value)) : "0001-01-01T00:00:00Z";
  };
  Json state = {
      {"Status", paused ? "paused"
                 : live ? "running"
                        : record.state},
      {"Running", live && !paused},
      {"Paused", paused},
      {"Restarting", !live && record.state == store::kRestarting},
      {"OOMKilled", record.oom_killed || (live && engine::has_run_out_of_memory(store, record.id))},
      {"StoppedByUser", record.stopped_by_user},
      {"Pid", live ? live->pid : 0},
      {"MonitorPid", live ? live->monitor_pid : 0},
      {"ExitCode", record.exit_status ? Json(*record.exit_status) : Json(nullptr)},
      {"Error", unfinished.empty() ? record.exit_reason : unfinished},
      {"StartedAt", live ? rfc3339(std::chrono::nanoseconds(live->started_at)) : time(record.started_at)},
      {"FinishedAt", time(record.finished_at)}};
  // Docker and podman always have a number here; 0 would be a lie for a container whose end nobody saw.
  if (!record.exit_status && record.exit_reason.empty()) state["ExitCode"] = 0;
  if (const auto health = engine::health_state(store, record.id); health && live)
    state["Health"] = describe_health(*health);
  return state;
}

Json describe_mounts(const engine::ContainerSpec& spec, const std::vector<engine::MountDecision>& decisions) {
  Json mounts = Json::array();
  for (const engine::MountSpec& mount : spec.mounts) {
    if (mount.type == "tmpfs") continue;
    Json entry = {{"Type", mount.type}};
    if (!mount.volume.empty()) entry["Name"] = mount.volume;
    entry["Source"] = mount.source;
    entry["Destination"] = mount.target;
    entry["Options"] = mount.options;
    entry["RW"] = !mount.read_only;
    entry["Propagation"] = mount.propagation.empty() ? "rprivate" : mount.propagation;
    const auto decided = std::find_if(decisions.begin(), decisions.end(),
                                      [&](const auto& decision) { return decision.target == mount.target; });
    const bool started = decided != decisions.end();
    entry["Strategy"] = started ? decided->strategy : "undecided";
    entry["Reason"] = started ? decided->reason : "it is decided when the container starts";
    mounts.push_back(std::move(entry));
  }
  return mounts;
}

Json describe_pairs(const std::vector<engine::Pair>& pairs) {
  Json object = Json::object();
  for (const engine::Pair& pair : pairs) object[pair.key] = pair.value;
  return object;
}

// "container:host:size", as podman writes it; nothing for the host's own IDs.
Json describe_map(const std::string& recorded) {
  Json list = Json::array();
  const Result<idmap::IdMap> map = idmap::IdMap::parse(recorded);
  if (!map) return list;
  for (const idmap::Extent& extent : map->extents())
    list.push_back(fmt::format("{}:{}:{}", extent.inside, extent.outside, extent.count));
  return list;
}

// As the host's accounts were when the container was made.
Json describe_host_users(const std::vector<engine::HostUserSpec>& users) {
  Json list = Json::array();
  for (const engine::HostUserSpec& user : users) {
    list.push_back({{"Name", user.name},
                    {"Uid", user.uid},
                    {"Gid", user.gid},
                    {"Group", user.group},
                    {"Description", user.description},
                    {"Home", user.home}});
  }
  return list;
}

Json describe_host_config(const engine::ContainerSpec& spec, const store::ContainerRecord& record) {
  Json ulimits = Json::array();
  for (const engine::LimitSpec& limit : spec.limits) {
    ulimits.push_back({{"Name", limit.name}, {"Soft", limit.soft}, {"Hard", limit.hard}});
  }
  std::vector<std::string> groups = spec.additional_groups;
  if (spec.keep_groups) groups.emplace_back("keep-groups");
  Json config = {
      {"NetworkMode", spec.network},
      {"PortBindings", describe_port_bindings(spec)},
      {"Dns", spec.networking.dns},
      {"DnsSearch", spec.networking.searches},
      {"DnsOptions", spec.networking.dns_options},
      {"UsernsMode", spec.userns},
      {"PidMode", spec.spaces.pid.empty() ? "private" : spec.spaces.pid},
      {"IpcMode", spec.spaces.ipc.empty() ? "private" : spec.spaces.ipc},
      {"IDMappings", {{"UidMap", describe_map(record.uid_map)}, {"GidMap", describe_map(record.gid_map)}}},
      {"Translated", spec.translate},
      {"AutoRemove", record.remove_on_exit},
      {"RestartPolicy", {{"Name", spec.restart.policy}, {"MaximumRetryCount", spec.restart.most}}},
      {"Privileged", spec.privileged},
      {"ReadonlyRootfs", spec.read_only},
      {"CapAdd", spec.capabilities_added},
      {"CapDrop", spec.capabilities_dropped},
      {"GroupAdd", groups},
      {"ShmSize", spec.shm_size},
      {"Init", spec.init},
      {"Ulimits", ulimits},
      {"Sysctls", describe_pairs(spec.sysctls)}};
  describe_resources(spec.resources, config);
  return config;
}

Result<Json> describe_container(store::Store& store, const store::ContainerRecord& record) {
  const engine::ContainerSpec spec = TRY(engine::container_spec_from_json(record.spec));
  oci::ImageConfig image;
  if (const auto found = store::find_image(store, record.image_id))
    image = TRY(oci::parse_image_config(found->config));
  const std::vector<std::string> words =
      engine::command_line(spec, image).value_or(std::vector<std::string>{});
  const std::string directory = store.locations().root + "/" + engine::container_directory(record.id);
  std::vector<std::string> environment = image.env;
  for (const engine::Pair& pair : spec.environment) environment.push_back(pair.key + "=" + pair.value);
  const auto or_image = [](const std::string& own, const std::string& of_image) {
    return own.empty() ? of_image : own;
  };
  Json document{{"Id", record.id},
                {"Created", rfc3339(std::chrono::nanoseconds(record.created_at))},
                {"Path", words.empty() ? "" : words.front()},
                {"Args", words.empty() ? words : std::vector<std::string>(words.begin() + 1, words.end())},
                {"State", describe_state(store, record)},
                {"Image", record.image_id},
                {"ImageName", record.image_name},
                {"Name", record.name},
                {"RestartCount", record.restart_count},
                {"Project", record.project},
                {"LogPath", directory + "/" + monitor::kLogFile},
                {"Driver", "overlay"},
                {"GraphDriver", {{"Name", "overlay"}, {"Data", {{"UpperDir", directory + "/upper"}}}}},
                {"Mounts", describe_mounts(spec, engine::read_mount_decisions(store, record.id))},
                {"Config",
                 {{"Hostname", or_image(spec.hostname, record.id.substr(0, 12))},
                  {"User", or_image(spec.user, image.user)},
                  {"Tty", spec.terminal},
                  {"OpenStdin", spec.interactive},
                  {"Env", environment},
                  {"Cmd", words},
                  {"Image", record.image_name},
                  {"WorkingDir", or_image(or_image(spec.working_directory, image.working_dir), "/")},
                  {"Labels", describe_pairs(spec.labels)},
                  {"Annotations", describe_pairs(spec.annotations)},
                  {"Passwd", spec.account_entries},
                  {"PasswdEntry", spec.passwd_entry},
                  {"GroupEntry", spec.group_entry},
                  {"HostUsers", describe_host_users(spec.host_users)},
                  {"StopSignal", or_image(or_image(spec.stop_signal, image.stop_signal), "SIGTERM")},
                  {"StopTimeout", spec.restart.stop_timeout.value_or(engine::kStopTimeout)}}},
                {"NetworkSettings", TRY(describe_network_settings(store, record.id, spec))},
                {"HostConfig", describe_host_config(spec, record)}};
  if (const auto check = engine::health_check_of(spec, image))
    document["Config"]["Healthcheck"] = describe_health_check(*check);
  // Docker's and podman's other words.
  document["State"]["Dead"] = false;
  return document;
}

struct InspectFlags {
  std::string format;
  bool latest = false;
  bool size = false;
  std::string type = "all";
  std::vector<std::string> names;
};

// As podman has it, what a name is not as a container it may be as an image, a volume or a network.
Result<std::string> kind_of(store::Store& store, const InspectFlags& flags) {
  if (flags.type != "all") return flags.type;
  const std::string& name = flags.names.front();
  const Result<store::ContainerRecord> container = store::find_container(store.db(), name);
  if (container || container.error().code != Code::not_found) return "container";
  if (store::find_image(store, name)) return "image";
  if (engine::find_volume(store, name)) return "volume";
  if (ledger::find_network(store.db(), "", name)) return "network";
  return "container";
}

Result<int> inspect_others(const Invocation& invocation, const std::string& kind, const InspectFlags& flags) {
  std::vector<std::string> words;
  if (!flags.format.empty()) words = {"--format", flags.format};
  words.insert(words.end(), flags.names.begin(), flags.names.end());
  const Invocation other(invocation.globals, kind + " inspect", std::move(words));
  if (kind == "image") return inspect_images(other);
  if (kind == "volume") return inspect_volumes(other);
  return inspect_networks(other);
}

}  // namespace

Result<int> inspect(const Invocation& invocation) {
  InspectFlags flags;
  Flags line(
      invocation, "[flags] CONTAINER|IMAGE|VOLUME|NETWORK [NAME...]",
      "Prints all that is known of containers, as a JSON array; of images, volumes and networks where no "
      "container has the\n"
      "first of the names.",
      "  berth inspect job\n  berth inspect --format '{{.State.Status}} {{.State.Pid}}' job\n"
      "  berth inspect --type volume data\n");
  line.value("-f,--format", flags.format, "json, or a template: \"{{.State.Status}}\"");
  line.flag("-l,--latest", flags.latest, "The container that was made last");
  line.flag("-s,--size", flags.size, "With SizeRw, what it has written, in bytes on disk");
  line.value("-t,--type", flags.type, "all (default), container, image, volume or network",
             {.choices = {"all", "container", "image", "volume", "network"}});
  line.words("names", flags.names, Need::optional);
  if (!TRY(line.parse())) return 0;
  if (flags.names.empty() != flags.latest)
    return fail(Code::usage, "berth {}: name what to inspect, or give --latest, one of the two",
                invocation.name);
  store::Store store = TRY(open_recovered_store(invocation));
  if (flags.type != "container" && !flags.latest) {
    const std::string kind = TRY(kind_of(store, flags));
    if (kind != "container") return inspect_others(invocation, kind, flags);
  }
  Json list = Json::array();
  for (const store::ContainerRecord& record : TRY(named_or_latest(store, flags.names, flags.latest))) {
    Json document = TRY(describe_container(store, record));
    if (flags.size) {
      const std::string upper = engine::container_directory(record.id) + "/upper";
      document["SizeRw"] = TRY(sys::measure_tree(store.root(), upper)).bytes;
    }
    list.push_back(std::move(document));
  }
  if (flags.format.empty() || flags.format == "json") {
    print_json(list);
  } else {
    TRY(print_template(list, flags.format, true));
  }
  return 0;
}

}  // namespace berth::cli
