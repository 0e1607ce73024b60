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

// Calls visit(name, member...), with that member of each of the specs, for every member that JSON takes as it
// is; entrypoint, which may be absent, is apart.
template <typename Visit, typename... Specs>
void for_each_member(Visit visit, Specs&... specs) {
  visit("hostname", specs.hostname...);
  visit("command", specs.command...);
  visit("environment", specs.environment...);
  visit("working_directory", specs.working_directory...);
  visit("user", specs.user...);
  visit("additional_groups", specs.additional_groups...);
  visit("interactive", specs.interactive...);
  visit("terminal", specs.terminal...);
  visit("read_only", specs.read_only...);
  visit("read_only_tmpfs", specs.read_only_tmpfs...);
  visit("mounts", specs.mounts...);
  visit("network", specs.network...);
  visit("networking", specs.networking...);
  visit("capabilities_added", specs.capabilities_added...);
  visit("capabilities_dropped", specs.capabilities_dropped...);
  visit("privileged", specs.privileged...);
  visit("no_new_privileges", specs.no_new_privileges...);
  visit("seccomp", specs.seccomp...);
  visit("devices", specs.devices...);
  visit("limits", specs.limits...);
  visit("sysctls", specs.sysctls...);
  visit("shm_size", specs.shm_size...);
  visit("labels", specs.labels...);
  visit("annotations", specs.annotations...);
  visit("stop_signal", specs.stop_signal...);
  visit("restart", specs.restart...);
  visit("init", specs.init...);
  visit("userns", specs.userns...);
  visit("uid_maps", specs.uid_maps...);
  visit("gid_maps", specs.gid_maps...);
  visit("banks", specs.banks...);
  visit("allow_shared_ids", specs.allow_shared_ids...);
  visit("volumes_from", specs.volumes_from...);
  visit("project", specs.project...);
  visit("image_volumes", specs.image_volumes...);
  visit("translate", specs.translate...);
  visit("account_entries", specs.account_entries...);
  visit("passwd_entry", specs.passwd_entry...);
  visit("group_entry", specs.group_entry...);
  visit("host_users", specs.host_users...);
  visit("keep_groups", specs.keep_groups...);
  visit("log", specs.log...);
  visit("resources", specs.resources...);
  visit("health", specs.health...);
  visit("spaces", specs.spaces...);
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
  static const ContainerSpec none;
  Json document = Json::object();
  const auto put = [&](const char* name, const auto& member, const auto& usual) {
    if (member != usual) document[name] = member;
  };
  for_each_member(put, spec, none);
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
    const auto take = [&](const char* name, auto& member) {
      if (document.contains(name)) document.at(name).get_to(member);
    };
    for_each_member(take, spec);
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
