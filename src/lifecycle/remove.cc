#include "lifecycle/remove.h"

#include <csignal>

#include <poll.h>

#include "base/fault.h"
#include "base/log.h"
#include "lifecycle/traces.h"
#include "runtime/hooks.h"
#include "scope/scope.h"
#include "sys/process.h"

namespace berth::lifecycle {

namespace {

// Whoever's child it is.
void await_end(const sys::UniqueFd& process) {
  constexpr int kPatienceMs = 10'000;
  pollfd ended{process.get(), POLLIN, 0};
  sys::poll_process({&ended, 1}, kPatienceMs);
}

Result<> end_processes(const std::optional<sys::UniqueFd>& process,
                       const std::optional<cgroup::Cgroup>& cgroup) {
  if (process) TRY(sys::send_signal(process->get(), SIGKILL));
  // Those that share a PID namespace with others do not end with their first; frozen ones do not end at all.
  if (cgroup) TRY(cgroup->kill_all());
  if (process) await_end(*process);
  return {};
}

// False: there may be something in it.
Result<bool> remove_empty_cgroup(const Record& record) {
  if (record.cgroup.empty()) return false;
  return cgroup::Cgroup::remove_if_empty(TRY(cgroup::hierarchies_of_this_process()),
                                         TRY(cgroup::parse_record(record.cgroup)));
}

// Whoever makes or starts the container may wait for a hook for as long as that likes. Without its process
// there is nothing to wait for but a hook on the host: then it will find that its container has gone.
void end_under_others(int directory) {
  constexpr cgroup::Wait kShort{100};
  const Result<Record> traces = read_traces(directory);
  if (!traces) return;
  const Result<std::optional<sys::UniqueFd>> process = open_process(*traces);
  if (process && *process) [[maybe_unused]]
    const auto sent = sys::send_signal((*process)->get(), SIGKILL);
  const Result<std::optional<cgroup::Cgroup>> cgroup = open_cgroup(*traces);
  if (cgroup && *cgroup) [[maybe_unused]]
    const auto killed = (*cgroup)->kill_all(kShort);
}

// Whatever its record says, or does not.
Result<> remove_by_force(const Root& root, const std::string& id) {
  constexpr std::chrono::seconds kPatience{5};
  const Result<Directory> directory = open_directory_within(root, id, kPatience, end_under_others);
  if (!directory && directory.error().code == Code::not_found) return {};
  if (!directory) return std::unexpected(directory.error());
  const Result<Record> record = read_record(directory->fd.get());
  if (record) return destroy(root, *directory, *record);
  log::warn("{}: it is removed without its hooks", record.error().message);
  const Result<Record> traces = read_traces(directory->fd.get());
  if (traces) return remove_all(root, *directory, *traces);
  log::warn("{}: what may still run of container {} is not known", traces.error().message, id);
  return remove_directory(root, *directory);
}

}  // namespace

Result<> remove_all(const Root& root, const Directory& directory, const Record& record) {
  const std::optional<sys::UniqueFd> process = TRY(open_process(record));
  // Mostly all have ended.
  if (!process) fault::point("processes-ended");
  const bool of_systemd = !record.unit.empty();
  if (process || of_systemd || !TRY(remove_empty_cgroup(record))) {
    std::optional<cgroup::Cgroup> cgroup = TRY(open_cgroup(record));
    TRY(end_processes(process, cgroup));
    fault::point("processes-ended");
    // One that was not recorded yet was in use until now.
    if (!cgroup && of_systemd) cgroup = TRY(open_cgroup(record));
    if (cgroup && of_systemd) scope::stop(record.unit, *cgroup);
    if (cgroup) TRY(cgroup->remove());
  }
  fault::point("cgroup-removed");
  return remove_directory(root, directory);
}

Result<> destroy(const Root& root, const Directory& directory, const Record& record) {
  const std::string state = TRY(state_text(record, bundle::Status::stopped));
  TRY(remove_all(root, directory, record));
  runtime::run_late_hooks("poststop", record.poststop, state);
  return {};
}

Result<> remove_container(const Root& root, const std::string& id, bool force) {
  if (force) return remove_by_force(root, id);
  const Directory directory = TRY(open_directory(root, id));
  const Record record = TRY(read_record(directory.fd.get()));
  const bundle::Status status = TRY(status_of(directory.fd.get(), record));
  const bool ended =
      status == bundle::Status::stopped || (status == bundle::Status::creating && !TRY(open_process(record)));
  // One that has not been started can be deleted, as runc and crun have it.
  if (!ended && status != bundle::Status::created) {
    return fail(Code::conflict, "cannot delete container {} that is not stopped: {}", id,
                bundle::status_name(status));
  }
  return destroy(root, directory, record);
}

}  // namespace berth::lifecycle
