// What is known of a container that was made: kept in its directory, for the commands that come after.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "bundle/state.h"
#include "cgroup/cgroup.h"
#include "lifecycle/directory.h"
#include "runtime/exec.h"
#include "runtime/plan.h"

namespace berth::lifecycle {

struct Pair {
  std::string key;
  std::string value;
  template <typename A>
  void fields(A& a) {
    a(key, value);
  }
};

struct Record {
  std::string id;
  std::string bundle;         // absolute
  std::string rootfs;         // absolute
  int32_t pid = 0;            // of its process, on the host; 0: not yet made
  int64_t pid_start = 0;      // field 22 of /proc/PID/stat, so that a PID that is used again is recognised
  int64_t created_at = 0;     // nanoseconds since 1970
  bool created = false;       // create has come to its end
  bool own_pid_space = true;  // a PID namespace of its own: its process's end is the end of all
  std::string command;        // its process's, for messages
  std::vector<Pair> annotations;
  std::string cgroup_path;  // where it is to be made, as cgroup::CgroupsPath::text()
  std::string cgroup;       // cgroup::record_text(); empty before there is one
  std::string unit;         // systemd's, of which that is the cgroup; empty: systemd has none
  std::vector<runtime::HookPlan> poststart;
  std::vector<runtime::HookPlan> poststop;
  // What `exec` takes over where it does not say otherwise.
  runtime::ProcessPlan process;  // without a HOME that the configuration does not have
  std::optional<int32_t> oom_score_adj;
  std::string seccomp_agent;     // the socket of who hears of its filter's notifications; empty: none
  std::string seccomp_metadata;  // for the agent
  runtime::AffinityPlan exec_affinity;
  std::vector<runtime::IdExtent> uid_map;
  std::vector<runtime::IdExtent> gid_map;
  template <typename A>
  void fields(A& a) {
    a(id, bundle, rootfs, pid, pid_start, created_at, created, own_pid_space, command, annotations,
      cgroup_path, cgroup, unit, poststart, poststop, process, oom_score_adj, seccomp_agent, seccomp_metadata,
      exec_affinity, uid_map, gid_map);
  }
};

Result<> write_record(const Directory& directory, const Record& record);
// Code::refused where it is damaged; then only `delete --force` helps, by the traces.
Result<Record> read_record(int directory);

// Its process: a pidfd, or nothing where that has ended (a zombie has).
Result<std::optional<sys::UniqueFd>> open_process(const Record& record);

// nullopt: it has none (any more). Before its making was recorded, what there is at its place and unused.
Result<std::optional<cgroup::Cgroup>> open_cgroup(const Record& record);

Result<bundle::Status> status_of(int directory, const Record& record);

bundle::State state_of(const Record& record, bundle::Status status);
// As `state` shows it and hooks on the host get it.
Result<std::string> state_text(const Record& record, bundle::Status status);
// As hooks in the container's namespaces get it: with the PID that its process has there (runtime.md,
// "State").
Result<std::string> state_text_inside(const Record& record, bundle::Status status);

}  // namespace berth::lifecycle
