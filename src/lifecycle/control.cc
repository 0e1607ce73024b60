#include "lifecycle/control.h"

#include <csignal>

#include "lifecycle/remove.h"
#include "runtime/await_start.h"
#include "runtime/hooks.h"
#include "sys/process.h"

namespace berth::lifecycle {

namespace {

Result<cgroup::Cgroup> cgroup_of(const Record& record) {
  std::optional<cgroup::Cgroup> cgroup = TRY(open_cgroup(record));
  if (!cgroup) return fail("the cgroup of container {} is not there", record.id);
  return std::move(*cgroup);
}

}  // namespace

Result<> start(const Root& root, const std::string& id) {
  Directory directory = TRY(open_directory(root, id));
  const Record record = TRY(read_record(directory.fd.get()));
  const bundle::Status status = TRY(status_of(directory.fd.get(), record));
  if (status != bundle::Status::created) {
    return fail(Code::conflict, "cannot start container {}: it is {}, not created", id,
                bundle::status_name(status));
  }
  return start_created(root, directory, record);
}

Result<> start_created(const Root& root, Directory& directory, const Record& record) {
  const std::string state = TRY(state_text_inside(record, bundle::Status::created));
  const Result<> started = runtime::order_start(directory.fd.get(), kStartSocket, state, record.command);
  if (!started) {
    // Where it was the command, its process has ended, and what is left is for delete, as after any other
    // end.
    const Code code = started.error().code;
    const bool at_exec = code == Code::not_executable || code == Code::command_not_found;
    if (!at_exec) TRY(destroy(root, directory, record));
    return std::unexpected(started.error());
  }
  // Hooks may take as long as they like, and the container runs.
  directory.lock.release();
  const std::string running = TRY(state_text(record, bundle::Status::running));
  runtime::run_late_hooks("poststart", record.poststart, running);
  return {};
}

Result<> kill(const Root& root, const std::string& id, int signal, bool all) {
  const sys::UniqueFd directory = TRY(look_into(root, id));
  const Record record = TRY(read_record(directory.get()));
  const std::optional<sys::UniqueFd> process = TRY(open_process(record));
  if (all || (!record.own_pid_space && signal == SIGKILL)) {
    const std::optional<cgroup::Cgroup> cgroup = TRY(open_cgroup(record));
    if (cgroup) return signal == SIGKILL ? cgroup->kill_all() : cgroup->signal_all(signal);
  }
  if (!process) return fail(Code::conflict, "container not running");
  TRY(sys::send_signal(process->get(), signal));
  return {};
}

Result<> pause(const Root& root, const std::string& id) {
  const Directory directory = TRY(open_directory(root, id));
  const Record record = TRY(read_record(directory.fd.get()));
  const bundle::Status status = TRY(status_of(directory.fd.get(), record));
  if (status != bundle::Status::running && status != bundle::Status::created)
    return fail(Code::conflict, "container not running or created: {}", bundle::status_name(status));
  const cgroup::Cgroup cgroup = TRY(cgroup_of(record));
  return cgroup.freeze();
}

Result<> resume(const Root& root, const std::string& id) {
  const Directory directory = TRY(open_directory(root, id));
  const Record record = TRY(read_record(directory.fd.get()));
  if (TRY(status_of(directory.fd.get(), record)) != bundle::Status::paused)
    return fail(Code::conflict, "container not paused");
  const cgroup::Cgroup cgroup = TRY(cgroup_of(record));
  return cgroup.thaw();
}

}  // namespace berth::lifecycle
