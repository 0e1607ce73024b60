#include "engine/capabilities.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include <sys/prctl.h>

#include "base/nearest.h"

namespace berth::engine {

namespace {

// In the order of their numbers (capabilities(7), linux/capability.h).
constexpr std::array<std::string_view, 41> kNames{"CHOWN",
                                                  "DAC_OVERRIDE",
                                                  "DAC_READ_SEARCH",
                                                  "FOWNER",
                                                  "FSETID",
                                                  "KILL",
                                                  "SETGID",
                                                  "SETUID",
                                                  "SETPCAP",
                                                  "LINUX_IMMUTABLE",
                                                  "NET_BIND_SERVICE",
                                                  "NET_BROADCAST",
                                                  "NET_ADMIN",
                                                  "NET_RAW",
                                                  "IPC_LOCK",
                                                  "IPC_OWNER",
                                                  "SYS_MODULE",
                                                  "SYS_RAWIO",
                                                  "SYS_CHROOT",
                                                  "SYS_PTRACE",
                                                  "SYS_PACCT",
                                                  "SYS_ADMIN",
                                                  "SYS_BOOT",
                                                  "SYS_NICE",
                                                  "SYS_RESOURCE",
                                                  "SYS_TIME",
                                                  "SYS_TTY_CONFIG",
                                                  "MKNOD",
                                                  "LEASE",
                                                  "AUDIT_WRITE",
                                                  "AUDIT_CONTROL",
                                                  "SETFCAP",
                                                  "MAC_OVERRIDE",
                                                  "MAC_ADMIN",
                                                  "SYSLOG",
                                                  "WAKE_ALARM",
                                                  "BLOCK_SUSPEND",
                                                  "AUDIT_READ",
                                                  "PERFMON",
                                                  "BPF",
                                                  "CHECKPOINT_RESTORE"};

constexpr std::array<std::string_view, 11> kDefaults{"CHOWN",   "DAC_OVERRIDE",     "FOWNER",    "FSETID",
                                                     "KILL",    "NET_BIND_SERVICE", "SETFCAP",   "SETGID",
                                                     "SETPCAP", "SETUID",           "SYS_CHROOT"};

constexpr std::string_view kAll = "ALL";

constexpr std::optional<unsigned> number_of(std::string_view name) {
  for (unsigned i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return i;
  }
  return std::nullopt;
}

constexpr uint64_t default_set() {
  uint64_t set = 0;
  for (const std::string_view name : kDefaults) set |= capability_bit(number_of(name).value());
  return set;
}

std::string normalized_name(std::string_view name) {
  std::string upper(name);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper.starts_with("CAP_") ? upper.substr(4) : upper;
}

struct Named {
  uint64_t set = 0;
  bool all = false;
};

Result<Named> parse_names(std::span<const std::string> names, std::string_view flag) {
  Named named;
  for (const std::string& name : names) {
    if (normalized_name(name) == kAll) {
      named.all = true;
      continue;
    }
    named.set |= capability_bit(TRY_CONTEXT(parse_capability(name), "{}", flag));
  }
  return named;
}

std::string describe(uint64_t set) {
  std::string out;
  for (unsigned number = 0; number < 64; ++number) {
    if ((set & capability_bit(number)) != 0) out += (out.empty() ? "" : ", ") + capability_name(number);
  }
  return out;
}

Result<uint64_t> bounding_set(const CapabilityRequest& request, const Named& add, const Named& drop) {
  if (request.privileged) return request.available;
  if (add.all && drop.all) return fail(Code::usage, "--cap-add ALL and --cap-drop ALL exclude each other");
  if (const uint64_t both = add.set & drop.set; both != 0) {
    return fail(Code::usage, "{} can't be both added and dropped", describe(both));
  }
  if (const uint64_t missing = add.set & ~request.available; missing != 0) {
    return fail(Code::usage, "--cap-add: {} can't be had on this host", describe(missing));
  }
  if (drop.all) return add.set;
  const uint64_t base = add.all ? request.available : default_capabilities() & request.available;
  return (base | add.set) & ~drop.set;
}

}  // namespace

Result<unsigned> parse_capability(std::string_view name) {
  const std::string plain = normalized_name(name);
  if (const std::optional<unsigned> number = number_of(plain)) return *number;
  Error error{Code::usage, 0, fmt::format("there is no capability \"{}\"", name), {}};
  if (const std::string_view near = nearest(plain, kNames); !near.empty()) {
    error.hint = fmt::format("Did you mean {}?", near);
  }
  return std::unexpected(std::move(error));
}

std::string capability_name(unsigned number) {
  return number < kNames.size() ? fmt::format("CAP_{}", kNames[number]) : fmt::format("CAP_{}", number);
}

uint64_t default_capabilities() {
  constexpr uint64_t kSet = default_set();
  return kSet;
}

uint64_t kernel_capabilities() {
  // The highest one that the kernel does not call an invalid argument; nearly always the last of the names.
  unsigned last = kNames.size() - 1;
  while (last < 63 && ::prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0) >= 0) ++last;
  while (last > 0 && ::prctl(PR_CAPBSET_READ, last, 0, 0, 0) < 0) --last;
  return last == 63 ? ~uint64_t{0} : capability_bit(last + 1) - 1;
}

Result<sys::CapabilitySets> resolve_capabilities(const CapabilityRequest& request, ContainerUid user) {
  const Named add = TRY(parse_names(request.add, "--cap-add"));
  const Named drop = TRY(parse_names(request.drop, "--cap-drop"));
  sys::CapabilitySets sets;
  sets.bounding = TRY(bounding_set(request, add, drop));
  if (user.value() == 0) {
    sets.effective = sets.permitted = sets.bounding;
    return sets;
  }
  const uint64_t asked_for = sets.bounding & (add.all ? ~uint64_t{0} : add.set);
  sets.effective = sets.permitted = sets.inheritable = sets.ambient = request.privileged ? 0 : asked_for;
  return sets;
}

}  // namespace berth::engine
