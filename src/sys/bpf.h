// Programs that the kernel verifies and runs (bpf(2)), as far as cgroups take them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <linux/bpf.h>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::sys {

// Loads a program of a type (BPF_PROG_TYPE_*), which ends with its last descriptor and attachment. Needs
// CAP_BPF or CAP_SYS_ADMIN in the initial user namespace. The error has the end of what the verifier said.
Result<UniqueFd> load_bpf(bpf_prog_type type, std::span<const bpf_insn> program, const std::string& name);

// Attaches beside others (BPF_F_ALLOW_MULTI): all of a cgroup and of those above it have a say.
Result<> attach_bpf(int cgroup, int program, bpf_attach_type where);
Result<> detach_bpf(int cgroup, int program, bpf_attach_type where);

// The programs that are attached to this cgroup itself.
Result<std::vector<UniqueFd>> attached_bpf(int cgroup, bpf_attach_type where);

}  // namespace berth::sys
