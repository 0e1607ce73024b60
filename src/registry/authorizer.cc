#include "registry/authorizer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "oci/json.h"
#include "registry/answer.h"
#include "registry/base64.h"

namespace berth::registry {

namespace {

constexpr size_t kMaxTokenAnswer = 1UL << 20;
constexpr size_t kMaxToken = 32UL << 10;

// For a part of a query or a form.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string basic(const Login& login) {
  return "Basic " + base64_encode(login.username + ":" + login.password);
}

void append_parameter(std::string& query, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  if (!query.empty()) query += '&';
  query += fmt::format("{}={}", name, escaped(value));
}

}  // namespace

Result<std::string> parse_token(std::string_view body) {
  const nlohmann::json json =
      TRY_CONTEXT(oci::parse_json(body, kMaxTokenAnswer), "the token server's answer");
  const oci::JsonView view(json, "the token server's answer");
  std::string token = TRY(view.string_or_empty("token"));
  if (token.empty()) token = TRY(view.string_or_empty("access_token"));
  if (token.empty()) return view.refuse("there is no token in it");
  const bool plain = std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (!plain || token.size() > kMaxToken) return view.refuse("its token can't stand in a header");
  return token;
}

void Authorizer::learn(const Headers& headers) {
  std::optional<Challenge> chosen;
  for (const std::string& field : headers.all("www-authenticate")) {
    for (Challenge& challenge : parse_challenges(field)) {
      const bool bearer = challenge.scheme == "bearer" && !challenge.parameter("realm").empty();
      const bool better =
          bearer ? !chosen || chosen->scheme != "bearer" : challenge.scheme == "basic" && !chosen;
      if (better) chosen = std::move(challenge);
    }
  }
  const std::lock_guard lock(mutex_);
  if (chosen) challenge_ = std::move(chosen);
}

bool Authorizer::may_send_login_to(const Url& url) const {
  if (!url.plain() || is_loopback(url.host)) return true;
  // Asked for by --tls-verify=false, and then for the registry alone.
  return !http_.options().tls_verify && url.host == registry_.host;
}

Result<Url> Authorizer::checked_realm() const {
  const std::string realm = challenge_->parameter("realm");
  Url url = TRY_CONTEXT(parse_url(realm), "the token server that the registry names");
  if (!url.plain()) return url;
  // Who speaks TLS may not send us to somebody who doesn't, and only what is on this machine may send us to
  // this machine.
  const bool same_host = url.host == registry_.host;
  if (registry_.plain() && (same_host || (is_loopback(url.host) && is_loopback(registry_.host)))) return url;
  return fail(Code::refused, "the registry sends for a token to {}, which is not https", url.shown());
}

Attempt<std::string> Authorizer::authorization(const std::string& scope) {
  const std::lock_guard lock(mutex_);
  if (!challenge_) return std::string();
  if (challenge_->scheme == "basic") {
    if (!login_) return std::string();
    if (!may_send_login_to(registry_)) {
      return std::unexpected(
          Failure(Error{Code::refused,
                        0,
                        fmt::format("{} is reached by plain HTTP, which would show the password to the "
                                    "network",
                                    registry_.shown()),
                        {}}));
    }
    return basic(*login_);
  }
  const auto found = tokens_.find(scope);
  if (found != tokens_.end()) return "Bearer " + found->second;
  const std::string token = TRY(fetch_token(scope));
  tokens_[scope] = token;
  return "Bearer " + token;
}

bool Authorizer::reject(const std::string& scope, const std::string& used) {
  const std::lock_guard lock(mutex_);
  if (!challenge_) return false;
  if (challenge_->scheme == "basic") return used.empty() && login_.has_value();
  const auto found = tokens_.find(scope);
  // Another thread may have got a newer one meanwhile.
  if (found != tokens_.end() && used == "Bearer " + found->second) tokens_.erase(found);
  return true;
}

Attempt<std::string> Authorizer::fetch_token(const std::string& scope) {
  Url realm = TRY(checked_realm());
  const bool send_login = login_ && may_send_login_to(realm);
  std::string query;
  append_parameter(query, "service", challenge_->parameter("service"));
  append_parameter(query, "scope", scope);
  Request request{realm, {{"Accept", "application/json"}}, std::nullopt};
  if (send_login && !login_->identity_token.empty()) {
    append_parameter(query, "grant_type", "refresh_token");
    append_parameter(query, "client_id", "berth");
    append_parameter(query, "refresh_token", login_->identity_token);
    request.form = query;
  } else {
    if (send_login) {
      append_parameter(query, "account", login_->username);
      request.headers.emplace_back("Authorization", basic(*login_));
    }
    std::string text = realm.text.substr(0, realm.text.find('#'));
    if (!query.empty()) text += (text.find('?') == std::string::npos ? '?' : '&') + query;
    request.url = TRY(parse_url(text));
  }
  log::debug("fetch a token for \"{}\" from {}", scope, realm.shown());
  const std::unique_ptr<Response> response = TRY(http_.open(request));
  if (response->status() != 200) {
    return std::unexpected(failure_of(*response, fmt::format("the token server {}", realm.shown())));
  }
  const std::string body = TRY(response->read_all(kMaxTokenAnswer));
  return TRY(parse_token(body));
}

}  // namespace berth::registry
