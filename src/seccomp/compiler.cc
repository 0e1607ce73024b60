#include "seccomp/compiler.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

#include <fcntl.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "seccomp/newer_calls.h"
#include "sys/file.h"

namespace berth::seccomp {

namespace {

struct Release {
  void operator()(scmp_filter_ctx context) const { ::seccomp_release(context); }
};
using Context = std::unique_ptr<void, Release>;

scmp_arg_cmp comparison(const Argument& argument) {
  using enum Argument::Operator;
  scmp_compare op = SCMP_CMP_EQ;
  switch (argument.op) {
    case not_equal:
      op = SCMP_CMP_NE;
      break;
    case less:
      op = SCMP_CMP_LT;
      break;
    case less_or_equal:
      op = SCMP_CMP_LE;
      break;
    case equal:
      op = SCMP_CMP_EQ;
      break;
    case greater_or_equal:
      op = SCMP_CMP_GE;
      break;
    case greater:
      op = SCMP_CMP_GT;
      break;
    case masked_equal:
      op = SCMP_CMP_MASKED_EQ;
      break;
  }
  return {argument.index, op, argument.value, argument.value_two};
}

Result<> add_rule(scmp_filter_ctx context, const Rule& rule) {
  std::vector<scmp_arg_cmp> comparisons;
  for (const Argument& argument : rule.arguments) comparisons.push_back(comparison(argument));
  for (const std::string& name : rule.names) {
    const int number = ::seccomp_syscall_resolve_name(name.c_str());
    if (number == __NR_SCMP_ERROR) continue;
    const int rc = ::seccomp_rule_add_array(context, rule.action, number,
                                            static_cast<unsigned>(comparisons.size()), comparisons.data());
    // The same rule twice, and a call that an architecture does not have, change nothing.
    if (rc == 0 || rc == -EEXIST || rc == -EDOM) continue;
    return fail_errno(-rc, "the seccomp rule for {}", name);
  }
  return {};
}

// The highest number of the profile's calls on one architecture, or nothing if it has none of them.
std::optional<uint32_t> highest_number(const Profile& profile, uint32_t architecture) {
  std::optional<uint32_t> highest;
  const auto consider = [&](const std::string& name) {
    const int number = ::seccomp_syscall_resolve_name_arch(architecture, name.c_str());
    // Negative ones are libseccomp's own stand-ins for calls that the architecture does not have.
    if (number < 0) return;
    const auto plain = static_cast<uint32_t>(number) & ~kX32Bit;
    if (architecture == SCMP_ARCH_X32 && plain >= kFirstOldX32Call) return;
    if (!highest || plain > *highest) highest = plain;
  };
  for (const Rule& rule : profile.rules) std::for_each(rule.names.begin(), rule.names.end(), consider);
  std::for_each(profile.also_known.begin(), profile.also_known.end(), consider);
  return highest;
}

std::string newer_calls_prefix(const Profile& profile, uint32_t native) {
  std::vector<KnownCalls> known;
  std::vector<uint32_t> architectures = profile.architectures;
  architectures.push_back(native);
  for (const uint32_t architecture : architectures) {
    if (const auto highest = highest_number(profile, architecture)) known.push_back({architecture, *highest});
  }
  return refuse_newer_calls(known);
}

Result<std::string> export_program(scmp_filter_ctx context) {
  const sys::UniqueFd memory(::memfd_create("seccomp", MFD_CLOEXEC));
  if (!memory) return fail_errno(errno, "make a file in memory");
  if (const int rc = ::seccomp_export_bpf(context, memory.get()); rc != 0) {
    return fail_errno(-rc, "generate the seccomp filter");
  }
  if (::lseek(memory.get(), 0, SEEK_SET) != 0) return fail_errno(errno, "read the seccomp filter");
  return sys::read_all(memory.get(), size_t{1} << 20);
}

}  // namespace

uint64_t library_version() {
  const scmp_version* version = ::seccomp_version();
  constexpr unsigned kBits = 20;
  return (uint64_t{version->major} << (2 * kBits)) | (uint64_t{version->minor} << kBits) | version->micro;
}

Result<std::string> compile_profile(const Profile& profile, uint32_t native) {
  const Context context(::seccomp_init(profile.default_action));
  if (context == nullptr) return fail("libseccomp does not take the profile's default action");
  // A binary tree in the place of a list. The kernel tries each call number on a filter that it loads, so
  // that this takes 0.4 ms and not 0.65. A libseccomp before 2.5 does not have it.
  ::seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  for (const uint32_t architecture : profile.architectures) {
    const int rc = ::seccomp_arch_add(context.get(), architecture);
    if (rc != 0 && rc != -EEXIST) return fail_errno(-rc, "add an architecture to the seccomp filter");
  }
  for (const Rule& rule : profile.rules) {
    // A rule that says what is the default anyway is none to libseccomp.
    if (rule.action != profile.default_action) TRY(add_rule(context.get(), rule));
  }
  std::string program;
  if (!profile.also_known.empty()) program = newer_calls_prefix(profile, native);
  program += TRY(export_program(context.get()));
  if (program.size() > BPF_MAXINSNS * sizeof(sock_filter)) {
    return fail(Code::refused, "the seccomp filter has {} instructions, and the kernel takes at most {}",
                program.size() / sizeof(sock_filter), BPF_MAXINSNS);
  }
  return program;
}

}  // namespace berth::seccomp
