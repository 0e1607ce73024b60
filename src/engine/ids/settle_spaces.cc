#include "engine/ids/settle_spaces.h"

namespace berth::engine {

namespace {

Result<> settle(store::Store& store, const store::ContainerRecord& record, std::string_view flag,
                std::string& mode) {
  if (mode == kHostSpace && !record.uid_map.empty()) {
    Error error{
        Code::usage, 0,
        fmt::format("{} host: the host's namespace is not for user IDs of a bank, which could not even "
                    "see it",
                    flag),
        "With `--userns host` the container's users are the host's."};
    return std::unexpected(std::move(error));
  }
  const std::string name(container_of_space(mode));
  if (name.empty()) return {};
  const store::ContainerRecord other =
      TRY_CONTEXT(store::find_container(store.db(), name), "{} container:{}", flag, name);
  if (other.project != record.project)
    return fail(Code::refused, "{} container:{}: it is not of the same project", flag, name);
  if (other.uid_map != record.uid_map || other.gid_map != record.gid_map) {
    Error error{
        Code::usage, 0,
        fmt::format("{} container:{}: the two don't have the same user IDs, and a namespace belongs to "
                    "those who made it",
                    flag, name),
        fmt::format("`--userns container:{}` gives it the same IDs; containers of one project have "
                    "them, and those of one named bank.",
                    name)};
    return std::unexpected(std::move(error));
  }
  mode = "container:" + other.id;
  return {};
}

}  // namespace

Result<> settle_spaces(store::Store& store, const store::ContainerRecord& record, ContainerSpec& spec) {
  TRY(settle(store, record, "--pid", spec.spaces.pid));
  return settle(store, record, "--ipc", spec.spaces.ipc);
}

}  // namespace berth::engine
