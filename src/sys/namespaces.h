// Namespaces that exist already, and processes in them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "sys/process.h"
#include "sys/unique_fd.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080  // linux/sched.h; not in the C library's <sched.h>
#endif

namespace berth::sys {

// A namespace that a process is to join.
struct JoinedNamespace {
  int type = 0;  // one CLONE_NEW*
  UniqueFd fd;
};

// Whether one of the type (CLONE_NEW*) is among them.
bool is_among(std::span<const JoinedNamespace> joined, int type);

// Opens the namespace at `path`: /proc/PID/ns/…, or a place where one is bound. Code::usage where it is none,
// or of another type (ioctl_ns(2), NS_GET_NSTYPE).
Result<UniqueFd> open_namespace(const std::string& path, int type);

// Whether this process is in that namespace already.
Result<bool> is_own_namespace(int fd, int type);

// The namespaces of these types (CLONE_NEW*, or-ed) that a process has and the caller is not in.
Result<std::vector<JoinedNamespace>> namespaces_apart(pid_t pid, uint64_t types);

// What a type is called in /proc/PID/ns: "user", "mnt", "pid".
const char* namespace_name(int type);

// fork_into() for a child that is also in the `joined` namespaces; the new ones belong to the user namespace
// among them. Those that the host owns are joined first, while the caller's capabilities count, then the user
// namespace, then what only its root may join (setns(2)).
//
// Some of it has to happen before the child exists, so a process between the two does it, and is reaped here;
// the child is the caller's own (clone(2), CLONE_PARENT).
// CLONE_NEWTIME may be among the new ones; `time_offsets` is written to its timens_offsets
// (time_namespaces(7)) before anything is in it.
Result<Child> fork_into_joined(uint64_t namespaces, std::span<const JoinedNamespace> joined,
                               const std::string& time_offsets = {}, int cgroup = -1);

// Joins all of them, in the order that fork_into_joined() has. A PID namespace is left out: it is one for
// children (setns(2)).
Result<> join_namespaces(std::span<const JoinedNamespace> joined);

// fork_into() for a child that is also in the PID namespace among the `joined`, if there is one. The
// others it has to join itself.
Result<Child> fork_into_pid_space(std::span<const JoinedNamespace> joined, int cgroup);

}  // namespace berth::sys
