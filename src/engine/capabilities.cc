#include "engine/capabilities.h"

#include <algorithm>
#include <array>
#include <vector>

#include <linux/capability.h>
#include <sys/prctl.h>

namespace berth::engine {

namespace {

constexpr std::array<unsigned, 11> kDefaults{CAP_CHOWN,   CAP_DAC_OVERRIDE,     CAP_FOWNER,    CAP_FSETID,
                                             CAP_KILL,    CAP_NET_BIND_SERVICE, CAP_SETFCAP,   CAP_SETGID,
                                             CAP_SETPCAP, CAP_SETUID,           CAP_SYS_CHROOT};

bool means_all(std::string_view name) {
  constexpr std::string_view kAll = "ALL";
  if (name.size() == kAll.size() + 4 && (name.starts_with("CAP_") || name.starts_with("cap_")))
    name.remove_prefix(4);
  return std::equal(name.begin(), name.end(), kAll.begin(), kAll.end(),
                    [](char a, char b) { return a == b || a == b - 'A' + 'a'; });
}

constexpr uint64_t default_set() {
  uint64_t set = 0;
  for (const unsigned number : kDefaults) set |= oci::capability_bit(number);
  return set;
}

struct Named {
  uint64_t set = 0;
  bool all = false;
};

Result<Named> parse_names(std::span<const std::string> names, std::string_view flag) {
  Named named;
  for (const std::string& name : names) {
    if (means_all(name)) {
      named.all = true;
      continue;
    }
    named.set |= oci::capability_bit(TRY_CONTEXT(oci::parse_capability(name), "{}", flag));
  }
  return named;
}

std::string describe(uint64_t set) {
  std::string out;
  for (unsigned number = 0; number < 64; ++number) {
    if ((set & oci::capability_bit(number)) != 0)
      out += (out.empty() ? "" : ", ") + oci::capability_name(number);
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

uint64_t default_capabilities() {
  constexpr uint64_t kSet = default_set();
  return kSet;
}

uint64_t kernel_capabilities() {
  // The highest one that the kernel does not call an invalid argument; nearly always the last of the names.
  unsigned last = oci::last_named_capability();
  while (last < 63 && ::prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0) >= 0) ++last;
  while (last > 0 && ::prctl(PR_CAPBSET_READ, last, 0, 0, 0) < 0) --last;
  return last == 63 ? ~uint64_t{0} : oci::capability_bit(last + 1) - 1;
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
