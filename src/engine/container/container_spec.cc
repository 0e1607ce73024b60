#include "engine/container/container_spec.h"

#include <nlohmann/json.hpp>

namespace berth::engine {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(MountSpec, type, source, volume, anonymous, target, read_only,
                                                recursive, propagation, options)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DeviceSpec, source, target)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(LimitSpec, name, soft, hard)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(LogSpec, driver, max_size, max_files)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Pair, key, value)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(HostUserSpec, name, uid, gid, description, home, group)

namespace {

using Json = nlohmann::json;

// Calls visit(name, member) for every member that JSON takes as it is; entrypoint, which may be absent, is
// apart.
template <typename Spec, typename Visit>
void for_each_member(Spec& spec, Visit visit) {
  visit("hostname", spec.hostname);
  visit("command", spec.command);
  visit("environment", spec.environment);
  visit("working_directory", spec.working_directory);
  visit("user", spec.user);
  visit("additional_groups", spec.additional_groups);
  visit("interactive", spec.interactive);
  visit("terminal", spec.terminal);
  visit("read_only", spec.read_only);
  visit("read_only_tmpfs", spec.read_only_tmpfs);
  visit("mounts", spec.mounts);
  visit("network", spec.network);
  visit("networking", spec.networking);
  visit("capabilities_added", spec.capabilities_added);
  visit("capabilities_dropped", spec.capabilities_dropped);
  visit("privileged", spec.privileged);
  visit("no_new_privileges", spec.no_new_privileges);
  visit("seccomp", spec.seccomp);
  visit("devices", spec.devices);
  visit("limits", spec.limits);
  visit("sysctls", spec.sysctls);
  visit("shm_size", spec.shm_size);
  visit("labels", spec.labels);
  visit("annotations", spec.annotations);
  visit("stop_signal", spec.stop_signal);
  visit("restart", spec.restart);
  visit("init", spec.init);
  visit("userns", spec.userns);
  visit("uid_maps", spec.uid_maps);
  visit("gid_maps", spec.gid_maps);
  visit("banks", spec.banks);
  visit("allow_shared_ids", spec.allow_shared_ids);
  visit("volumes_from", spec.volumes_from);
  visit("project", spec.project);
  visit("image_volumes", spec.image_volumes);
  visit("translate", spec.translate);
  visit("account_entries", spec.account_entries);
  visit("passwd_entry", spec.passwd_entry);
  visit("group_entry", spec.group_entry);
  visit("host_users", spec.host_users);
  visit("keep_groups", spec.keep_groups);
  visit("log", spec.log);
  visit("resources", spec.resources);
  visit("health", spec.health);
  visit("spaces", spec.spaces);
}

// Names the member that could not be written, and not its value, which may be a secret.
Error not_text(const Json& document) {
  std::string where = "a value";
  for (const auto& [name, member] : document.items()) {
    try {
      [[maybe_unused]] const std::string text = member.dump();
    } catch (const Json::exception&) {
      where = fmt::format("a value of the container's {}", name);
    }
  }
  return {Code::usage, 0, where + " is not UTF-8 text", "What a container is given is kept as text."};
}

}  // namespace

Result<std::string> to_json(const ContainerSpec& spec) {
  Json document = Json::object();
  for_each_member(spec, [&](const char* name, const auto& member) { document[name] = member; });
  if (spec.entrypoint) document["entrypoint"] = *spec.entrypoint;
  try {
    return document.dump();
  } catch (const Json::exception&) {
    return std::unexpected(not_text(document));
  }
}

Result<ContainerSpec> container_spec_from_json(std::string_view text) {
  try {
    // All numbers are whole and not negative; the library would convert others, and some of them without a
    // defined outcome.
    bool numbers_fit = true;
    const Json document = Json::parse(text, [&](int /*depth*/, Json::parse_event_t event, const Json& value) {
      const bool number = event == Json::parse_event_t::value && value.is_number();
      if (number && !value.is_number_unsigned()) numbers_fit = false;
      return true;
    });
    if (!numbers_fit) return fail("the container's record can't be read: a number in it does not fit");
    ContainerSpec spec;
    for_each_member(spec, [&](const char* name, auto& member) {
      if (document.contains(name)) document.at(name).get_to(member);
    });
    if (document.contains("entrypoint"))
      spec.entrypoint = document.at("entrypoint").get<std::vector<std::string>>();
    return spec;
  } catch (const Json::exception& e) {
    return fail("the container's record can't be read: {}", e.what());
  }
}

Result<std::vector<std::string>> words_from_json(std::string_view text) {
  const Json document = Json::parse(text, nullptr, false);
  std::vector<std::string> words;
  if (!document.is_array()) return fail(Code::usage, "it is no JSON array of strings");
  for (const Json& word : document) {
    if (!word.is_string()) return fail(Code::usage, "it is no JSON array of strings");
    words.push_back(word.get<std::string>());
  }
  return words;
}

}  // namespace berth::engine
