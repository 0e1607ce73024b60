#include "engine/ids/namespaces.h"

#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <sched.h>

#include "config/policy_checks.h"
#include "engine/container/status.h"
#include "engine/ids/id_decision.h"
#include "monitor/protocol.h"
#include "runtime/existing_namespace.h"
#include "sys/file.h"
#include "sys/process.h"

namespace berth::engine {

namespace {

using runtime::NamespaceUse;

runtime::Namespaces with_own_user(const ContainerSpec& spec) {
  runtime::Namespaces namespaces;
  if (spec.network == "host") namespaces.plan.network = NamespaceUse::host;
  return namespaces;
}

// A namespace of a container that runs: CLONE_NEWUSER, CLONE_NEWNET. Its PID is compared again once the
// namespace is open, so that it is not that of a process which has come to that number since.
Result<std::optional<sys::UniqueFd>> namespace_of_running(store::Store& store, const std::string& id,
                                                          int type) {
  const std::optional<LiveStatus> before = live_status(store, id);
  if (!before) return std::nullopt;
  const char* const name = type == CLONE_NEWNET ? "net" : "user";
  Result<sys::UniqueFd> opened = sys::open_namespace(fmt::format("/proc/{}/ns/{}", before->pid, name), type);
  const std::optional<LiveStatus> after = live_status(store, id);
  if (!after || after->pid != before->pid) return std::nullopt;
  if (!opened) return std::unexpected(opened.error());
  return std::optional(std::move(*opened));
}

Result<> join_user(runtime::Namespaces& namespaces, sys::UniqueFd fd) {
  namespaces.plan.user = NamespaceUse::joined;
  namespaces.joined.push_back({CLONE_NEWUSER, std::move(fd)});
  return {};
}

Result<> join_container(runtime::Namespaces& namespaces, store::Store& store, const std::string& id) {
  std::optional<sys::UniqueFd> running = TRY(namespace_of_running(store, id, CLONE_NEWUSER));
  if (!running) return {};
  return join_user(namespaces, std::move(*running));
}

// Said before its namespace is opened and found to run still, so that its monitor reads it at its end.
Result<> note_sharing(store::Store& store, const std::string& id) {
  const Result<sys::UniqueFd> state =
      sys::open_at(store.run_root(), container_directory(id), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!state) return {};  // it does not run
  return sys::replace_file_at(state->get(), monitor::kSharedNetworkFile, "", 0600, sys::Durability::none);
}

// --network container:NAME. A network namespace belongs to the user namespace that made it, so that one is
// joined as well: that the two have the same map is settled when the container is made (settle_network.h).
Result<> join_network(runtime::Namespaces& namespaces, store::Store& store, const ContainerSpec& spec) {
  const std::string name(network_container(spec.network));
  if (name.empty()) return {};
  const store::ContainerRecord other =
      TRY_CONTEXT(store::find_container(store.db(), name), "--network container:{}", name);
  TRY(note_sharing(store, other.id));
  std::optional<sys::UniqueFd> network = TRY(namespace_of_running(store, other.id, CLONE_NEWNET));
  if (!network) {
    Error error{Code::conflict, 0,
                fmt::format("--network container:{}: that container does not run", other.name),
                fmt::format("`berth start {}` starts it.", other.name)};
    return std::unexpected(std::move(error));
  }
  namespaces.plan.network = NamespaceUse::joined;
  std::erase_if(namespaces.joined, [](const auto& joined) { return joined.type == CLONE_NEWUSER; });
  if (other.uid_map.empty()) {
    namespaces.plan.user = NamespaceUse::host;
  } else {
    TRY(join_container(namespaces, store, other.id));
  }
  namespaces.joined.push_back({CLONE_NEWNET, std::move(*network)});
  return {};
}

// Nothing where `mode` names no namespace that is there.
Result<> join_named(runtime::Namespaces& namespaces, store::Store& store, const idmap::UsernsMode& mode) {
  if (const auto* path = std::get_if<idmap::UsernsOfPath>(&mode)) {
    sys::UniqueFd opened =
        TRY_CONTEXT(runtime::open_user_namespace(path->path), "--userns ns:{}", path->path);
    return join_user(namespaces, std::move(opened));
  }
  const auto* other = std::get_if<idmap::UsernsOfContainer>(&mode);
  if (other == nullptr) return {};
  const Result<store::ContainerRecord> found = store::find_container(store.db(), other->name);
  if (!found && found.error().code == Code::not_found) return {};
  if (!found) return std::unexpected(found.error());
  if (found->uid_map.empty()) {
    namespaces.plan.user = NamespaceUse::host;
    return {};
  }
  return join_container(namespaces, store, found->id);
}

}  // namespace

Result<runtime::Namespaces> namespaces_for_new(store::Store& store, const ContainerSpec& spec,
                                               const config::Config& config) {
  runtime::Namespaces namespaces = with_own_user(spec);
  if (!spec.project.empty()) {
    TRY(join_network(namespaces, store, spec));
    return namespaces;
  }
  const idmap::UsernsMode mode = TRY(userns_mode_of(spec, config));
  TRY(config::check_userns(config, mode));
  if (std::holds_alternative<idmap::UsernsHost>(mode)) namespaces.plan.user = NamespaceUse::host;
  TRY(join_named(namespaces, store, mode));
  TRY(join_network(namespaces, store, spec));
  return namespaces;
}

namespace {

Result<runtime::Namespaces> recorded_namespaces(store::Store& store, const store::ContainerRecord& record,
                                                const ContainerSpec& spec) {
  runtime::Namespaces namespaces = with_own_user(spec);
  if (record.uid_map.empty()) {
    namespaces.plan.user = NamespaceUse::host;
    return namespaces;
  }
  if (!spec.project.empty() || spec.userns.empty()) return namespaces;
  const idmap::UsernsMode mode = TRY(idmap::parse_userns_mode(spec.userns));
  const auto* other = std::get_if<idmap::UsernsOfContainer>(&mode);
  if (other != nullptr) {
    // Another container may have that name by now. What it shares is what the record says.
    const Result<store::ContainerRecord> found = store::find_container(store.db(), other->name);
    if (!found || found->uid_map != record.uid_map || found->gid_map != record.gid_map) return namespaces;
  }
  TRY(join_named(namespaces, store, mode));
  return namespaces;
}

}  // namespace

Result<runtime::Namespaces> namespaces_of(store::Store& store, const store::ContainerRecord& record,
                                          const ContainerSpec& spec) {
  runtime::Namespaces namespaces = TRY(recorded_namespaces(store, record, spec));
  TRY(join_network(namespaces, store, spec));
  return namespaces;
}

}  // namespace berth::engine
