#include "sys/bpf.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <sys/syscall.h>
#include <unistd.h>

namespace berth::sys {

namespace {

long call(bpf_cmd command, bpf_attr& attributes) {
  return ::syscall(SYS_bpf, command, &attributes, sizeof attributes);
}

__u64 address(const void* data) {
  return reinterpret_cast<uintptr_t>(data);
}

std::string refusal_hint(int err) {
  if (err != EPERM && err != EACCES) return {};
  return "The kernel takes such programs from CAP_BPF or CAP_SYS_ADMIN of the host only, and before Linux "
         "5.11 as far "
         "as RLIMIT_MEMLOCK has room.";
}

// The verifier's last line is the one that says why.
std::string last_line(std::string_view log) {
  while (!log.empty() && (log.back() == '\n' || log.back() == '\0')) log.remove_suffix(1);
  const size_t from = log.rfind('\n');
  return std::string(from == std::string_view::npos ? log : log.substr(from + 1));
}

Result<UniqueFd> open_program(uint32_t id) {
  bpf_attr attributes{};
  attributes.prog_id = id;
  const long fd = call(BPF_PROG_GET_FD_BY_ID, attributes);
  if (fd < 0) return fail_errno(errno, "open BPF program {}", id);
  return UniqueFd(static_cast<int>(fd));
}

Result<> change_attachment(bpf_cmd command, int cgroup, int program, bpf_attach_type where,
                           std::string_view what) {
  bpf_attr attributes{};
  attributes.target_fd = static_cast<__u32>(cgroup);
  attributes.attach_bpf_fd = static_cast<__u32>(program);
  attributes.attach_type = where;
  if (command == BPF_PROG_ATTACH) attributes.attach_flags = BPF_F_ALLOW_MULTI;
  if (call(command, attributes) == 0) return {};
  const int err = errno;
  Error error = fail_errno(err, "{}", what).error();
  return std::unexpected(std::move(error).with_hint(refusal_hint(err)));
}

}  // namespace

Result<UniqueFd> load_bpf(bpf_prog_type type, std::span<const bpf_insn> program, const std::string& name) {
  bpf_attr attributes{};
  attributes.prog_type = type;
  attributes.insns = address(program.data());
  attributes.insn_cnt = static_cast<__u32>(program.size());
  attributes.license = address("Apache-2.0");
  std::copy_n(name.begin(), std::min(name.size(), sizeof attributes.prog_name - 1), attributes.prog_name);
  long fd = call(BPF_PROG_LOAD, attributes);
  if (fd >= 0) return UniqueFd(static_cast<int>(fd));
  const int err = errno;
  // A second time, to be told why.
  std::vector<char> log(size_t{64} << 10);
  attributes.log_level = 1;
  attributes.log_buf = address(log.data());
  attributes.log_size = static_cast<__u32>(log.size());
  fd = call(BPF_PROG_LOAD, attributes);
  if (fd >= 0) return UniqueFd(static_cast<int>(fd));
  const std::string said =
      last_line(std::string_view(log.data(), log.size()).substr(0, std::string_view(log.data()).size()));
  Error error =
      fail_errno(err, "load the BPF program {}{}{}", name, said.empty() ? "" : ": ", printable(said)).error();
  return std::unexpected(std::move(error).with_hint(refusal_hint(err)));
}

Result<> attach_bpf(int cgroup, int program, bpf_attach_type where) {
  return change_attachment(BPF_PROG_ATTACH, cgroup, program, where, "attach a BPF program to a cgroup");
}

Result<> detach_bpf(int cgroup, int program, bpf_attach_type where) {
  return change_attachment(BPF_PROG_DETACH, cgroup, program, where, "detach a BPF program from a cgroup");
}

Result<std::vector<UniqueFd>> attached_bpf(int cgroup, bpf_attach_type where) {
  std::array<__u32, 64> ids{};  // the kernel's BPF_CGROUP_MAX_PROGS
  bpf_attr attributes{};
  attributes.query.target_fd = static_cast<__u32>(cgroup);
  attributes.query.attach_type = where;
  attributes.query.prog_cnt = static_cast<__u32>(ids.size());
  attributes.query.prog_ids = address(ids.data());
  if (call(BPF_PROG_QUERY, attributes) != 0) return fail_errno(errno, "list the BPF programs of a cgroup");
  std::vector<UniqueFd> programs;
  for (size_t i = 0; i < std::min<size_t>(attributes.query.prog_cnt, ids.size()); ++i) {
    programs.push_back(TRY(open_program(ids[i])));
  }
  return programs;
}

}  // namespace berth::sys
