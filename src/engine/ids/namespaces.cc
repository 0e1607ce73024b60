#include "engine/ids/namespaces.h"

#include <cerrno>
#include <optional>

#include <sched.h>

#include "config/policy_checks.h"
#include "engine/container/status.h"
#include "engine/ids/id_decision.h"
#include "runtime/existing_namespace.h"
#include "sys/process.h"

namespace berth::engine {

namespace {

using runtime::NamespaceUse;

runtime::Namespaces with_own_user(const ContainerSpec& spec) {
  runtime::Namespaces namespaces;
  if (spec.network == "host") namespaces.plan.network = NamespaceUse::host;
  return namespaces;
}

// The user namespace of a container that runs. Its PID is compared again once the namespace is open, so that
// it is not that of a process which has come to that number since.
Result<std::optional<sys::UniqueFd>> namespace_of_running(store::Store& store, const std::string& id) {
  const std::optional<LiveStatus> before = live_status(store, id);
  if (!before) return std::nullopt;
  Result<sys::UniqueFd> opened =
      sys::open_namespace(fmt::format("/proc/{}/ns/user", before->pid), CLONE_NEWUSER);
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
  std::optional<sys::UniqueFd> running = TRY(namespace_of_running(store, id));
  if (!running) return {};
  return join_user(namespaces, std::move(*running));
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
  if (!spec.project.empty()) return namespaces;
  const idmap::UsernsMode mode = TRY(userns_mode_of(spec, config));
  TRY(config::check_userns(config, mode));
  if (std::holds_alternative<idmap::UsernsHost>(mode)) namespaces.plan.user = NamespaceUse::host;
  TRY(join_named(namespaces, store, mode));
  return namespaces;
}

Result<runtime::Namespaces> namespaces_of(store::Store& store, const store::ContainerRecord& record,
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

}  // namespace berth::engine
