#include "registry/url.h"

#include <memory>

#include <arpa/inet.h>
#include <curl/curl.h>

namespace berth::registry {

namespace {

constexpr size_t kMaxUrl = 8192;

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

}  // namespace

Result<Url> parse_url(const std::string& text) {
  constexpr size_t kShown = 200;
  const auto refuse = [&](std::string_view why) {
    return fail(Code::refused, "the URL \"{}\" {}", std::string_view(text).substr(0, kShown), why);
  };
  if (text.size() > kMaxUrl) return refuse("is too long");
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    return refuse("is malformed");
  }
  Url out{text, part(url.get(), CURLUPART_SCHEME), part(url.get(), CURLUPART_HOST),
          part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT), part(url.get(), CURLUPART_PATH)};
  if (out.scheme != "http" && out.scheme != "https") return refuse("is neither https nor http");
  if (out.host.empty()) return refuse("has no host");
  const bool has_user =
      !part(url.get(), CURLUPART_USER).empty() || !part(url.get(), CURLUPART_PASSWORD).empty();
  if (has_user) return fail(Code::refused, "a URL of {} has a user or a password in it", out.origin());
  return out;
}

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  if (host.starts_with('[') && host.ends_with(']')) {
    in6_addr address{};
    const std::string inner(host.substr(1, host.size() - 2));
    return ::inet_pton(AF_INET6, inner.c_str(), &address) == 1 && IN6_IS_ADDR_LOOPBACK(&address) != 0;
  }
  in_addr address{};
  if (::inet_pton(AF_INET, std::string(host).c_str(), &address) != 1) return false;
  return (ntohl(address.s_addr) >> 24) == 127;
}

std::string_view host_of(std::string_view registry) {
  const size_t colon = registry.rfind(':');
  const size_t bracket = registry.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  return has_port ? registry.substr(0, colon) : registry;
}

}  // namespace berth::registry
