// What a registry asks for: the WWW-Authenticate header (RFC 9110, 11.6.1).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace berth::registry {

struct Challenge {
  std::string scheme;                             // in lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters;  // names in lower case: "realm", "service", "scope"

  [[nodiscard]] std::string parameter(const std::string& name) const;  // "" if there is none
};

// The challenges of one header field, in order. What is malformed ends the list; what came before it counts.
// At most 16 challenges with 32 parameters each are read.
std::vector<Challenge> parse_challenges(std::string_view header);

}  // namespace berth::registry
