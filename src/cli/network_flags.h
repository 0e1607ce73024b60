// The flags of `berth run` and `berth create` about networks.
#pragma once

#include <string>
#include <vector>

#include "cli/flags.h"
#include "engine/container/container_spec.h"

namespace berth::cli {

struct NetworkFlags {
  std::vector<std::string> networks;
  std::string ip;
  std::string ip6;
  std::string mac;
  std::vector<std::string> aliases;
  std::vector<std::string> published;
  bool publish_all = false;
  std::vector<std::string> exposed;
  std::vector<std::string> dns;
  std::vector<std::string> searches;
  std::vector<std::string> dns_options;
  std::vector<std::string> hosts;
  bool no_hosts = false;
};

void add_network_flags(Flags& line, NetworkFlags& flags);

// Checks them and puts them into the settings. The network stays empty where nothing was asked for
// (engine/network/settle_network.h says what it then is).
Result<> apply_network_flags(const NetworkFlags& flags, engine::ContainerSpec& spec);

}  // namespace berth::cli
