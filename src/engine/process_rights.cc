#include "engine/process_rights.h"

#include "engine/capabilities.h"

namespace berth::engine {

Result<sys::CapabilitySets> capabilities_of(const ContainerSpec& spec, const ResolvedUser& user,
                                            bool own_ids) {
  return resolve_capabilities({.add = spec.capabilities_added,
                               .drop = spec.capabilities_dropped,
                               .privileged = spec.privileged,
                               .available = own_ids ? kernel_capabilities() : sys::own_bounding_set()},
                              user.uid);
}

// As podman has it, --privileged comes without a filter unless one is named.
Result<seccomp::Filter> filter_of(const store::Store& store, const ContainerSpec& spec, uint64_t bounding) {
  const bool privileged_default = spec.privileged && spec.seccomp.empty();
  const std::string_view profile = privileged_default ? std::string_view("unconfined") : spec.seccomp;
  constexpr const char* kCache = "cache/seccomp";
  const seccomp::FilterCache cache{store.root(), kCache, store.locations().root + "/" + kCache};
  return seccomp::filter_for(cache, profile, bounding);
}

}  // namespace berth::engine
