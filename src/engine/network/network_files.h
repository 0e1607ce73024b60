// /etc/hosts, /etc/hostname and /etc/resolv.conf of a container, made anew at every start and mounted over
// the image's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/container/container_spec.h"
#include "engine/network/network_leases.h"
#include "idmap/id_map.h"
#include "store/store.h"

namespace berth::engine {

// By these names a container finds its host.
inline constexpr const char* kHostNames = "host.containers.internal host.docker.internal";

struct NetworkFiles {
  const ContainerSpec& spec;
  std::string hostname;
  std::string name;  // the container's
  const std::vector<TakenNetwork>& networks;
  bool name_server = false;  // the networks' gateways answer for names (name_server.h)
};

// `host`: the host's own /etc/hosts, with the host's network.
std::string hosts_text(const NetworkFiles& files, std::string_view host);

// `host`: the host's own resolv.conf. Nameservers on the host's loopback are left out, as the container has a
// loopback of its own, and so are those of IPv6 where the container has no such address.
std::string resolv_conf_text(const NetworkFiles& files, std::string_view host);

// Whether there is nobody whom a container with a way out could ask; for a warning.
bool lacks_nameserver(std::string_view resolv_conf);

// The host's resolv.conf; where that names only a resolver on the host's loopback, what that one goes by.
std::string host_resolv_conf();

// Below the run root, as they go with the process; they bear the host's IDs of the container's root: not
// every kernel can map the IDs of a tmpfs.
Result<> write_network_files(const store::Store& store, const std::string& id, const NetworkFiles& files,
                             const idmap::IdMap& uids, const idmap::IdMap& gids,
                             std::vector<std::string>& warnings);

}  // namespace berth::engine
