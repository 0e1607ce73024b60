#include "transfer_cli/registry_flags.h"

#include <array>
#include <charconv>

#include "cli/flags.h"
#include "sys/prompt.h"

namespace berth::transfer_cli {

void RegistryFlags::add_to(cli::Flags& line) {
  line.flag("--tls-verify", tls_verify,
            "Check certificates and use plain HTTP for loopback only (true); =false gives both up");
  line.value("--cert-dir", cert_dir, "Directory with *.crt authorities and *.cert and *.key of the client",
             {.shown = "DIR"});
  line.value("--authfile", authfile, "File with the credentials (containers-auth.json)", {.shown = "FILE"});
  line.value("--stall-timeout", stall_timeout, "Give up when the registry sends nothing for so long",
             {.shown = "DURATION"});
}

Result<registry::HttpOptions> RegistryFlags::http_options() const {
  registry::HttpOptions options;
  options.tls_verify = tls_verify;
  options.cert_dir = cert_dir;
  options.stall_timeout = TRY(parse_duration("--stall-timeout", stall_timeout));
  if (options.stall_timeout.count() == 0)
    return fail(Code::usage, "--stall-timeout 0: it must be more than nothing");
  options.connect_timeout = std::min(options.connect_timeout, options.stall_timeout);
  return options;
}

Result<std::chrono::milliseconds> parse_duration(std::string_view flag, std::string_view text) {
  struct Unit {
    std::string_view name;
    double milliseconds;
  };
  constexpr std::array<Unit, 5> kUnits{{{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
  constexpr double kLongest = 24 * 3'600'000.0;
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, ec] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  const std::string_view unit_name(rest, static_cast<size_t>(end - rest));
  for (const Unit& unit : kUnits) {
    if (ec != std::errc() || unit.name != unit_name) continue;
    const double milliseconds = number * unit.milliseconds;
    if (milliseconds >= 0 && milliseconds <= kLongest) {
      return std::chrono::milliseconds(static_cast<int64_t>(milliseconds));
    }
  }
  return fail(Code::usage, "{} \"{}\": it is a time of at most a day, for example 500ms, 30s or 2m", flag,
              text);
}

Result<registry::Login> parse_credentials(std::string_view text, const std::string& registry) {
  registry::Login login;
  const size_t colon = text.find(':');
  login.username = std::string(text.substr(0, colon));
  if (login.username.empty()) return fail(Code::usage, "--creds: it is USER:PASSWORD or USER");
  if (colon != std::string_view::npos) {
    login.password = std::string(text.substr(colon + 1));
    return login;
  }
  login.password =
      TRY_CONTEXT(sys::ask(fmt::format("Password of {} at {}: ", login.username, registry), sys::Echo::off),
                  "ask for the password");
  return login;
}

Result<std::string> parse_registry(std::string_view text) {
  std::string_view name = text;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (name.starts_with(scheme)) name.remove_prefix(scheme.size());
  }
  while (name.ends_with('/')) name.remove_suffix(1);
  if (name == "index.docker.io" || name == "index.docker.io/v1") name = oci::kDefaultRegistry;
  if (!oci::is_registry_name(name)) {
    return fail(Code::usage, "\"{}\" is not a registry: it is a host name with or without a port",
                text.substr(0, 200));
  }
  return std::string(name);
}

}  // namespace berth::transfer_cli
