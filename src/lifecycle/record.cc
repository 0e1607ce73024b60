#include "lifecycle/record.h"

#include <cerrno>

#include "sys/process.h"
#include "sys/process_stat.h"
#include "wire/archive.h"

namespace berth::lifecycle {

namespace {

// Changes with the fields of Record, so that another version's record is not misread.
constexpr std::string_view kMagic = "berth-runtime 4\n";
constexpr size_t kLargestRecord = size_t{32} << 20;

// Looks at the hierarchies that can freeze, and no others.
Result<bool> is_frozen(const Record& record) {
  std::vector<cgroup::RecordEntry> entries = TRY(cgroup::parse_record(record.cgroup));
  const cgroup::Hierarchies hierarchies = TRY(cgroup::hierarchies_of_this_process());
  std::erase_if(entries, [&hierarchies](const cgroup::RecordEntry& entry) {
    const cgroup::Hierarchy* hierarchy = hierarchies.find(entry.hierarchy);
    return hierarchy == nullptr || !(hierarchy->v2() || hierarchy->has("freezer"));
  });
  const Result<cgroup::Cgroup> cgroup = cgroup::Cgroup::open(hierarchies, entries);
  return cgroup && cgroup->frozen().value_or(false);
}

}  // namespace

Result<> write_record(const Directory& directory, const Record& record) {
  return sys::replace_file_at(directory.fd.get(), kRecordFile, std::string(kMagic) + wire::encode(record),
                              0600, sys::Durability::none);
}

Result<Record> read_record(int directory) {
  const std::string text = TRY(sys::read_file_at(directory, kRecordFile, kLargestRecord));
  if (!text.starts_with(kMagic))
    return fail(Code::refused, "the container's record was not written by this version of berth-runtime");
  return wire::decode<Record>(std::string_view(text).substr(kMagic.size()));
}

Result<std::optional<sys::UniqueFd>> open_process(const Record& record) {
  if (record.pid == 0) return std::nullopt;
  Result<sys::UniqueFd> pidfd = sys::open_process(record.pid);
  if (!pidfd && pidfd.error().err == ESRCH) return std::nullopt;
  if (!pidfd) return std::unexpected(pidfd.error());
  // Compared once the descriptor is there, which stands for one process for ever.
  const Result<sys::ProcessStat> stat = sys::read_process_stat(record.pid);
  if (!stat || stat->start != record.pid_start || stat->has_ended()) return std::nullopt;
  return std::optional(std::move(*pidfd));
}

Result<std::optional<cgroup::Cgroup>> open_cgroup(const Record& record) {
  if (record.cgroup_path.empty()) return std::nullopt;
  const cgroup::Hierarchies hierarchies = TRY(cgroup::hierarchies_of_this_process());
  const cgroup::CgroupsPath path = TRY(cgroup::parse_cgroups_path(record.cgroup_path));
  const std::vector<cgroup::RecordEntry> entries = TRY(cgroup::parse_record(record.cgroup));
  Result<cgroup::Cgroup> cgroup = record.cgroup.empty() ? cgroup::Cgroup::open_unused(hierarchies, path)
                                                        : cgroup::Cgroup::open(hierarchies, entries);
  if (!cgroup && cgroup.error().code == Code::not_found) return std::nullopt;
  if (!cgroup) return std::unexpected(cgroup.error());
  return std::optional(std::move(*cgroup));
}

Result<bundle::Status> status_of(int directory, const Record& record) {
  if (!TRY(open_process(record))) return record.created ? bundle::Status::stopped : bundle::Status::creating;
  if (!record.created) return bundle::Status::creating;
  if (TRY(is_frozen(record))) return bundle::Status::paused;
  return sys::exists_at(directory, kStartSocket) ? bundle::Status::created : bundle::Status::running;
}

bundle::State state_of(const Record& record, bundle::Status status) {
  bundle::State state{.id = record.id, .status = status, .bundle = record.bundle};
  if (status != bundle::Status::stopped) state.pid = record.pid;
  for (const Pair& pair : record.annotations) state.annotations[pair.key] = pair.value;
  return state;
}

Result<std::string> state_text_inside(const Record& record, bundle::Status status) {
  bundle::State state = state_of(record, status);
  if (record.own_pid_space && state.pid != 0) state.pid = 1;
  return bundle::emit_state(state);
}

Result<std::string> state_text(const Record& record, bundle::Status status) {
  return bundle::emit_state(state_of(record, status));
}

}  // namespace berth::lifecycle
