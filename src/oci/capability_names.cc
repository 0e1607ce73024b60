#include "oci/capability_names.h"

#include <array>
#include <optional>

#include "base/letter_case.h"
#include "base/nearest.h"

namespace berth::oci {

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

constexpr std::optional<unsigned> number_of(std::string_view name) {
  for (unsigned i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return i;
  }
  return std::nullopt;
}

std::string normalized_name(std::string_view name) {
  const std::string upper = capital(name);
  return upper.starts_with("CAP_") ? upper.substr(4) : upper;
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

unsigned last_named_capability() {
  return kNames.size() - 1;
}

}  // namespace berth::oci
