#include "lifecycle/listing.h"

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>

#include <fcntl.h>

#include "base/accounts.h"
#include "base/clock.h"
#include "base/log.h"
#include "bundle/config.h"
#include "lifecycle/record.h"
#include "oci/json.h"
#include "sys/file.h"

namespace berth::lifecycle {

namespace {

std::string user_name(const std::string& passwd, uint32_t uid) {
  const std::optional<PasswdEntry> entry = find_user(passwd, uid);
  return entry ? std::string(entry->name) : fmt::format("#{}", uid);
}

Result<Listed> look_at(const Root& root, const std::string& id, const std::string& passwd) {
  const sys::UniqueFd directory = TRY(look_into(root, id));
  const Record record = TRY(read_record(directory.get()));
  const bundle::Status status = TRY(status_of(directory.get(), record));
  const struct stat st = TRY(sys::stat_at(directory.get(), "", AT_EMPTY_PATH));
  return Listed{.state = state_of(record, status),
                .rootfs = record.rootfs,
                .created_at = record.created_at,
                .owner = user_name(passwd, st.st_uid)};
}

nlohmann::json to_json(const Listed& container) {
  const bundle::State& state = container.state;
  nlohmann::json out{
      {"ociVersion", bundle::kNewestVersion},        {"id", state.id},          {"pid", state.pid},
      {"status", bundle::status_name(state.status)}, {"bundle", state.bundle},  {"rootfs", container.rootfs},
      {"created", time_text(container.created_at)},  {"owner", container.owner}};
  if (!state.annotations.empty()) out["annotations"] = state.annotations;
  return out;
}

}  // namespace

Result<std::vector<Listed>> list_containers(const Root& root) {
  const std::string passwd =
      sys::read_file_at(AT_FDCWD, "/etc/passwd", kMaxAccountFileBytes).value_or(std::string());
  std::vector<Listed> found;
  for (const std::string& id : TRY(root.ids())) {
    Result<Listed> container = look_at(root, id, passwd);
    if (container) {
      found.push_back(std::move(*container));
    } else if (container.error().err != ENOENT && container.error().code != Code::not_found) {
      log::warn("container {}: {}", id, container.error().message);
    }
  }
  return found;
}

Result<std::string> listing_json(const std::vector<Listed>& containers) {
  nlohmann::json out = nlohmann::json::array();
  for (const Listed& container : containers) out.push_back(to_json(container));
  return oci::emit_json(out);
}

std::string time_text(int64_t nanoseconds) {
  const std::time_t seconds = nanoseconds / kNanoseconds;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::string result = text.data();
  if (const int64_t rest = nanoseconds % kNanoseconds; rest > 0) {
    result += fmt::format(".{:09}", rest);
    result.erase(result.find_last_not_of('0') + 1);
  }
  return result + "Z";
}

Result<std::vector<pid_t>> processes_of(const Root& root, const std::string& id) {
  const sys::UniqueFd directory = TRY(look_into(root, id));
  const Record record = TRY(read_record(directory.get()));
  const std::optional<cgroup::Cgroup> cgroup = TRY(open_cgroup(record));
  if (!cgroup) return std::vector<pid_t>();
  return cgroup->processes();
}

}  // namespace berth::lifecycle
