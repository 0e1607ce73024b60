// What a client (the command line) and berth-monitor say to each other. Messages keep their boundaries
// (sys::Channel); the first byte is the kind.
//
//   client                                monitor
//   prepare                              ──▶ makes the namespaces, while the client plans
//   network                              ──▶ connects the container's networks, meanwhile; none: it has none
//   start + plan, container, state, lock ──▶
//                            ◀── started | failed
//   input, input_end, resize, signal     ──▶
//                            ◀── output, error_output …
//                            ◀── input_taken (the client has at most kInputWindow bytes of input under way)
//                            ◀── exited      (after the last output), then the channel ends
//
// A client that goes away does not end the container. The one that starts it detached hears no more than
// "started", and closes the channel once it has recorded that: nothing is finished before.
//
// More clients come to the container's control socket (control_socket.h):
//
//   attach                               ──▶
//   input, input_end, resize, signal     ──▶
//                            ◀── output, error_output, input_taken … (from now on; what was before is in the
//                            log) ◀── exited      (then the channel ends, and the end is being put on record)
//
// A channel that ends without "exited" while the monitor lives is one of a client that did not read; see
// clients.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cgroup/limits.h"
#include "monitor/health_plan.h"
#include "monitor/log_options.h"
#include "net/plan.h"
#include "runtime/plan.h"
#include "runtime/protocol.h"
#include "wire/archive.h"

namespace berth::monitor {

enum class Kind : uint8_t {
  prepare,  // PrepareRequest, and a descriptor for each namespace that is joined
  network,  // net::NetworkPlan; what goes wrong with it is told as the start's failure
  start,    // StartRequest and kStartDescriptors descriptors
  input,    // bytes for the standard input
  input_end,
  resize,        // TerminalSize
  signal,        // SignalRequest
  started,       // Started
  failed,        // runtime::Failure
  output,        // bytes
  error_output,  // bytes
  input_taken,   // InputTaken
  exited,        // Exited
  attach,        // AttachRequest
  detach,        // the client leaves, and the standard input stays open
};

// The descriptors of a start: the encoded ContainerPlan (a memory file), the container's directory in the
// store, its directory below the run root, its lock.
inline constexpr size_t kStartDescriptors = 4;

// The cgroup that a container gets for itself (container_cgroup.h), and what else limits it.
struct CgroupRequest {
  std::string path;        // absolute, cgroup::CgroupsPath::text(); empty: it stays in its caller's
  cgroup::Limits limits;   // a container with any does not start where they can't be applied
  int64_t usual_pids = 0;  // the limit for processes where `limits` has none and one can be set; 0: none
  std::optional<int32_t> oom_score_adj;  // -1000 to 1000 (proc_pid_oom_score_adj(5)); none: as inherited
  // Not empty: systemd makes it, as a scope in this slice. `path` is where that is, and its last name the
  // unit.
  std::string slice;
  template <typename A>
  void fields(A& a) {
    a(path, limits, usual_pids, oom_score_adj, slice);
  }
};

// With the namespaces that are to be joined as descriptors.
struct PrepareRequest {
  runtime::NamespacesPlan namespaces;
  std::vector<int32_t> joined;  // the type of each descriptor, CLONE_NEW*
  CgroupRequest cgroup;
  template <typename A>
  void fields(A& a) {
    a(namespaces, joined, cgroup);
  }
};
inline constexpr size_t kMostJoined = 7;

struct StartRequest {
  bool interactive = false;  // the client will send input; without it the standard input is /dev/null
  LogOptions log;
  HealthPlan health;
  bool record_exit = true;  // write the exit record; a container that is removed at exit needs none
  bool detached = false;    // the client leaves once the container has started
  // If it is there when the container ends; else, and where it is not, the monitor does.
  bool starter_finishes = true;
  std::string scratch;  // see runtime::start_container
  // The words of the command that puts the container's end on record, which the monitor executes in its own
  // place if no client does that; without a program's path. See finish.h.
  std::vector<std::string> finish;
  // Likewise, of the command that tells that the container was out of memory; see oom_teller.h.
  std::vector<std::string> tell_oom;
  template <typename A>
  void fields(A& a) {
    a(interactive, log, health, record_exit, detached, starter_finishes, scratch, finish, tell_oom);
  }
};

struct AttachRequest {
  bool output = false;  // without it the client hears of the end alone
  template <typename A>
  void fields(A& a) {
    a(output);
  }
};

struct Started {
  int32_t pid = 0;
  int64_t started_at = 0;  // nanoseconds since 1970
  template <typename A>
  void fields(A& a) {
    a(pid, started_at);
  }
};

struct Exited {
  int32_t status = 0;  // as a shell gives it: 128 + signal for a process that was killed
  int64_t finished_at = 0;
  bool oom_killed = false;  // the kernel has killed a process of it for want of memory
  bool oom_told = false;    // and the event of that is written
  template <typename A>
  void fields(A& a) {
    a(status, finished_at, oom_killed, oom_told);
  }
};

struct TerminalSize {
  uint16_t rows = 0;
  uint16_t columns = 0;
  template <typename A>
  void fields(A& a) {
    a(rows, columns);
  }
};

// So much input may be sent without having been taken by the container. Input beyond it waits with the
// client, so the monitor can always listen: a signal is never stuck behind input that nobody reads.
inline constexpr size_t kInputWindow = size_t{1} << 20;

struct InputTaken {
  uint32_t bytes = 0;
  template <typename A>
  void fields(A& a) {
    a(bytes);
  }
};

struct SignalRequest {
  int32_t signal = 0;
  template <typename A>
  void fields(A& a) {
    a(signal);
  }
};

// A message of the given kind around a payload.
std::string pack(Kind kind, std::string_view payload);
template <typename T>
std::string pack_value(Kind kind, const T& value) {
  return pack(kind, wire::encode(value));
}

// The kind of a received message; its payload is message.substr(1). An unknown kind is an error.
Result<Kind> kind_of(std::string_view message);

// What the monitor leaves in the container's directory (kExitFile) and below the run root (kStateFile): small
// JSON objects, {"status":0,"finished_at":…,"oom_killed":false,"oom_told":false} and
// {"monitor_pid":…,"monitor_start":…,"pid":…,"pid_start":…, "started_at":…}. The starts are field 22 of
// /proc/PID/stat, so that a reused PID is recognised.
inline constexpr const char* kExitFile = "exit";
// The length of an exit record, with blanks at its end; all blanks: it has not ended.
inline constexpr size_t kExitBytes = 128;
inline constexpr const char* kStateFile = "state";
// Below the run root too, before anything runs in it: cgroup::record_text() of the container's cgroup.
inline constexpr const char* kCgroupFile = "cgroup";
inline constexpr size_t kLongestCgroupRecord = size_t{1} << 16;
inline constexpr const char* kLogFile = "log";
// Below the run root: the encoded net::NetworkPlan, as it is now, from before it is sent until the monitor
// has taken all of it away.
inline constexpr const char* kNetworkFile = "network";
// Beside it, a lock: of a command that changes the networks, which does it only while the first process
// lives, and of whoever takes them away when that has ended.
inline constexpr const char* kNetworkLock = "network.lock";
// Beside it, empty: another container has joined this one's network namespace, which may outlive it.
inline constexpr const char* kSharedNetworkFile = "network-shared";
inline constexpr const char* kLockFile = "lock";

}  // namespace berth::monitor
