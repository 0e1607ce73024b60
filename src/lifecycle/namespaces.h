// The namespaces of a bundle's configuration, opened where they are to be joined.
#pragma once

#include "bundle/config.h"
#include "runtime/container.h"

namespace berth::lifecycle {

struct NamespaceSet {
  runtime::Namespaces namespaces;
  std::vector<runtime::IdExtent> uid_map;  // empty: the host's user namespace
  std::vector<runtime::IdExtent> gid_map;
};

// A path that leads to the caller's own namespace means the same as no entry. Code::refused for what can't
// be: no mount namespace of its own, a new user namespace without mappings, a sysctl that would be the
// host's.
Result<NamespaceSet> namespaces_of(const bundle::Config& config);

}  // namespace berth::lifecycle
