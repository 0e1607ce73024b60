#include "engine/ids/namespaces.h"

#include <array>
#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include "config/policy_checks.h"
#include "engine/container/status.h"
#include "engine/ids/id_decision.h"
#include "monitor/protocol.h"
#include "runtime/existing_namespace.h"
#include "sys/file.h"
#include "sys/namespaces.h"
#include "sys/process.h"

namespace berth::engine {

namespace {

using runtime::NamespaceUse;

runtime::Namespaces with_own_user(const ContainerSpec& spec) {
  runtime::Namespaces namespaces;
  if (spec.network == "host") namespaces.plan.network = NamespaceUse::host;
  return namespaces;
}

// A namespace of a container that runs: CLONE_NEW*. Its PID is compared again once the
// namespace is open, so that it is not that of a process which has come to that number since.
Result<std::optional<sys::UniqueFd>> namespace_of_running(store::Store& store, const std::string& id,
                                                          int type) {
  const std::optional<LiveStatus> before = live_status(store, id);
  if (!before) return std::nullopt;
  Result<sys::UniqueFd> opened =
      sys::open_namespace(fmt::format("/proc/{}/ns/{}", before->pid, sys::namespace_name(type)), type);
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

// Another one's namespace that a flag asks for.
struct Wish {
  const char* flag;
  std::string container;  // empty: none
  int type;               // CLONE_NEW*
  NamespaceUse* use;
};

// Two containers of one bank may have a user namespace each.
Result<> check_one_user_namespace(const runtime::Namespaces& namespaces, int user, const Wish& wish) {
  for (const sys::JoinedNamespace& joined : namespaces.joined) {
    if (joined.type != CLONE_NEWUSER) continue;
    const struct stat before = TRY(sys::stat_at(joined.fd.get(), "", AT_EMPTY_PATH));
    const struct stat now = TRY(sys::stat_at(user, "", AT_EMPTY_PATH));
    if (before.st_ino == now.st_ino && before.st_dev == now.st_dev) continue;
    return fail(Code::usage,
                "{} container:{}: that container and the other one that this is to share with "
                "have user namespaces of their own",
                wish.flag, wish.container);
  }
  return {};
}

// --network container:NAME and its kin. A namespace belongs to the user namespace that made it, so that one
// is joined as well: that the two have the same map is settled when the container is made (settle_network.h,
// settle_spaces.h). `others`: user namespaces of containers have been joined for the same reason.
Result<> join_other(runtime::Namespaces& namespaces, store::Store& store, const Wish& wish, bool others) {
  const store::ContainerRecord other = TRY_CONTEXT(store::find_container(store.db(), wish.container),
                                                   "{} container:{}", wish.flag, wish.container);
  if (wish.type == CLONE_NEWNET) TRY(note_sharing(store, other.id));
  std::optional<sys::UniqueFd> space = TRY(namespace_of_running(store, other.id, wish.type));
  if (!space) {
    Error error{Code::conflict, 0,
                fmt::format("{} container:{}: that container does not run", wish.flag, other.name),
                fmt::format("`berth start {}` starts it.", other.name)};
    return std::unexpected(std::move(error));
  }
  *wish.use = NamespaceUse::joined;
  if (other.uid_map.empty()) {
    namespaces.plan.user = NamespaceUse::host;
  } else if (std::optional<sys::UniqueFd> user = TRY(namespace_of_running(store, other.id, CLONE_NEWUSER))) {
    if (others) TRY(check_one_user_namespace(namespaces, user->get(), wish));
    std::erase_if(namespaces.joined, [](const auto& joined) { return joined.type == CLONE_NEWUSER; });
    TRY(join_user(namespaces, std::move(*user)));
  }
  namespaces.joined.push_back({wish.type, std::move(*space)});
  return {};
}

Result<> join_others(runtime::Namespaces& namespaces, store::Store& store, const ContainerSpec& spec) {
  runtime::NamespacesPlan& plan = namespaces.plan;
  if (spec.spaces.pid == kHostSpace) plan.pid = NamespaceUse::host;
  if (spec.spaces.ipc == kHostSpace) plan.ipc = NamespaceUse::host;
  const std::array<Wish, 3> wishes{
      {{"--network", std::string(network_container(spec.network)), CLONE_NEWNET, &plan.network},
       {"--pid", std::string(container_of_space(spec.spaces.pid)), CLONE_NEWPID, &plan.pid},
       {"--ipc", std::string(container_of_space(spec.spaces.ipc)), CLONE_NEWIPC, &plan.ipc}}};
  bool others = false;
  for (const Wish& wish : wishes) {
    if (wish.container.empty()) continue;
    TRY(join_other(namespaces, store, wish, others));
    others = true;
  }
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
    TRY(join_others(namespaces, store, spec));
    return namespaces;
  }
  const idmap::UsernsMode mode = TRY(userns_mode_of(spec, config));
  TRY(config::check_userns(config, mode));
  if (std::holds_alternative<idmap::UsernsHost>(mode)) namespaces.plan.user = NamespaceUse::host;
  TRY(join_named(namespaces, store, mode));
  TRY(join_others(namespaces, store, spec));
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
  TRY(join_others(namespaces, store, spec));
  return namespaces;
}

}  // namespace berth::engine
