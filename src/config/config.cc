#include "config/config.h"

#include <array>

#include <fmt/format.h>

namespace berth::config {

namespace {
constexpr std::array<std::string_view, 3> kBases{"restricted", "nonroot", "anyuid"};
}

std::string Origin::text() const {
  return built_in() ? "built in" : fmt::format("{}:{}", file, line);
}

std::vector<net::Subnet> built_in_subnet_pools() {
  // The last two are for hosts that have a route to all of 10.0.0.0/8.
  return {*net::Subnet::parse("10.80.0.0/14"), *net::Subnet::parse("10.72.0.0/13"),
          *net::Subnet::parse("172.28.0.0/14"), *net::Subnet::parse("192.168.192.0/18")};
}

std::string name_of(PolicyBase base) {
  return std::string(kBases[static_cast<size_t>(base)]);
}

std::optional<PolicyBase> policy_base(std::string_view name) {
  for (size_t i = 0; i < kBases.size(); ++i) {
    if (kBases[i] == name) return static_cast<PolicyBase>(i);
  }
  return std::nullopt;
}

}  // namespace berth::config
