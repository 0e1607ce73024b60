// The Authorization header for a registry: basic, or bearer tokens from where the registry sends one for
// them.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "registry/auth_file.h"
#include "registry/challenge.h"
#include "registry/http.h"

namespace berth::registry {

// One registry's. May be used by several threads: one fetches a token, the others wait for it.
class Authorizer {
 public:
  // `registry` is the URL that the registry was reached at.
  Authorizer(HttpClient& http, Url registry, std::optional<Login> login)
      : http_(http), registry_(std::move(registry)), login_(std::move(login)) {}

  // Takes over what the registry asks for in the headers of a 401.
  void learn(const Headers& headers);

  // The header's value for a request that needs `scope` ("repository:team/app:pull"); "" to send none.
  Attempt<std::string> authorization(const std::string& scope);
  // The registry said 401 to `used`: another is to be got next time. False if there is nothing else to try.
  bool reject(const std::string& scope, const std::string& used);

  [[nodiscard]] bool has_login() const { return login_.has_value(); }

 private:
  Attempt<std::string> fetch_token(const std::string& scope);
  Result<Url> checked_realm() const;
  [[nodiscard]] bool may_send_login_to(const Url& url) const;
  HttpClient& http_;
  Url registry_;
  std::optional<Login> login_;
  std::mutex mutex_;
  std::optional<Challenge> challenge_;
  std::map<std::string, std::string> tokens_;  // by scope
};

// The token in a token server's answer: "token" or "access_token", of characters that a header can hold.
Result<std::string> parse_token(std::string_view body);

}  // namespace berth::registry
