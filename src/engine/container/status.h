// What is running now: the small state file that berth-monitor keeps below the run root, checked against
// /proc.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <sys/types.h>

#include "base/error.h"
#include "store/containers.h"
#include "store/store.h"
#include "sys/unique_fd.h"

namespace berth::engine {

struct LiveStatus {
  pid_t monitor_pid = 0;
  pid_t pid = 0;  // of the container's PID 1, on the host
  int64_t started_at = 0;
};

// nullopt: it does not run. A PID that another process has by now is recognised by its start time.
std::optional<LiveStatus> live_status(const store::Store& store, std::string_view id);

// A container's PID 1, which the descriptor stands for whatever happens to its number.
struct FirstProcess {
  pid_t pid = 0;
  sys::UniqueFd pidfd;
};
// nullopt: it does not run.
std::optional<FirstProcess> first_process(const store::Store& store, std::string_view id);

// Whether a state file is there, alive or not: the container was started and nobody has tidied up since.
bool was_started(const store::Store& store, std::string_view id);

// When it was started, by that file; 0 where there is none.
int64_t last_start(const store::Store& store, std::string_view id);

// The container's PID 1 where it has outlived its monitor. The kernel ends it with the monitor (PDEATHSIG),
// but a process that is PID 1 itself (--init=false) escapes that by executing a setuid file.
std::optional<pid_t> lost_process(const store::Store& store, std::string_view id);

struct ExitRecord {
  int64_t status = 0;
  int64_t finished_at = 0;
  bool oom_killed = false;
  bool oom_told = false;  // the event is written
};
// What berth-monitor wrote when the container ended; nullopt if it did not come to that.
std::optional<ExitRecord> exit_record(const store::Store& store, std::string_view id);

// Held shared, below the store's root, while a container is being made or removed, as its directory has no
// record then; see recover.h.
inline constexpr const char* kCreatingLock = "containers/creating.lock";

// "containers/<id>", below the store's root and below the run root.
std::string container_directory(std::string_view id);

}  // namespace berth::engine
