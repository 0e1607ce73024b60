// The URLs that registries give (realms, redirects), taken apart.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::registry {

// An absolute http or https URL without a user or a password in it.
struct Url {
  std::string text;  // in full
  std::string scheme;
  std::string host;  // an IPv6 address stands in brackets
  std::string port;  // the scheme's own where none is given
  std::string path;

  [[nodiscard]] bool plain() const { return scheme == "http"; }
  // Scheme, host and port: what a credential may not leave.
  [[nodiscard]] std::string origin() const { return scheme + "://" + host + ":" + port; }
  // Without the query, which may hold a signature.
  [[nodiscard]] std::string shown() const { return scheme + "://" + host + ":" + port + path; }
};

// Code::refused for anything else.
Result<Url> parse_url(const std::string& text);

// "localhost" and its subdomains, 127.0.0.0/8 and [::1]: the only hosts for which plain HTTP needs no asking.
bool is_loopback(std::string_view host);

// The host of "localhost:5000" or "[::1]:5000".
std::string_view host_of(std::string_view registry);

}  // namespace berth::registry
