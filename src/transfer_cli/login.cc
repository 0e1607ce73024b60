#include "transfer_cli/login.h"

#include <csignal>
#include <optional>

#include <unistd.h>

#include "cli/flags.h"
#include "registry/client.h"
#include "registry/credentials.h"
#include "sys/file.h"
#include "sys/prompt.h"
#include "transfer_cli/registry_flags.h"

namespace berth::transfer_cli {

namespace {

constexpr size_t kMaxPassword = 64UL << 10;

struct LoginFlags {
  RegistryFlags registry;
  std::string username;
  std::optional<std::string> password;
  bool password_stdin = false;
};

Result<std::string> password_from_stdin() {
  std::string password =
      TRY_CONTEXT(sys::read_all(STDIN_FILENO, kMaxPassword), "read the password from standard input");
  while (password.ends_with('\n') || password.ends_with('\r')) password.pop_back();
  if (password.empty()) return fail(Code::usage, "there is no password on standard input");
  return password;
}

Result<registry::Login> gather_login(const LoginFlags& flags, const std::string& registry) {
  registry::Login login;
  login.username = flags.username;
  if (flags.password_stdin && flags.password) {
    return fail(Code::usage, "--password and --password-stdin can't be given together");
  }
  if (flags.password_stdin && login.username.empty())
    return fail(Code::usage, "--password-stdin needs --username");
  const std::string hint = "Give --username and --password-stdin where there is no terminal.";
  if (login.username.empty()) {
    Result<std::string> answer = sys::ask(fmt::format("Username for {}: ", registry), sys::Echo::on);
    if (!answer)
      return std::unexpected(std::move(answer).error().context("ask for the user").with_hint(hint));
    login.username = std::move(*answer);
  }
  if (login.username.empty() || login.username.find(':') != std::string::npos) {
    return fail(Code::usage, "the user \"{}\": it must not be empty and has no colon", login.username);
  }
  if (flags.password_stdin) {
    login.password = TRY(password_from_stdin());
  } else if (flags.password) {
    login.password = *flags.password;
  } else {
    Result<std::string> answer =
        sys::ask(fmt::format("Password of {} at {}: ", login.username, registry), sys::Echo::off);
    if (!answer)
      return std::unexpected(std::move(answer).error().context("ask for the password").with_hint(hint));
    login.password = std::move(*answer);
  }
  return login;
}

Result<> check_and_store(const LoginFlags& flags, const std::string& registry, const registry::Login& login) {
  registry::ClientOptions options;
  options.http = TRY(flags.registry.http_options());
  options.login = login;
  const std::unique_ptr<registry::Client> client =
      TRY(registry::Client::connect(registry, std::move(options)));
  if (Result<> accepted = client->check_login(); !accepted) {
    return std::unexpected(
        std::move(accepted).error().with_hint("Check the user and the password; nothing was stored."));
  }
  return registry::store_login(registry::credential_places(flags.registry.authfile), registry, login);
}

}  // namespace

Result<int> login(const cli::Invocation& invocation) {
  LoginFlags flags;
  std::string target(oci::kDefaultRegistry);
  cli::Flags line(invocation, "[flags] [REGISTRY]",
                  "Checks a user and a password with a registry and stores them for later pulls.",
                  "  berth login localhost:5000\n"
                  "  berth login -u ann --password-stdin registry.example < password.txt\n");
  flags.registry.add_to(line);
  line.value("-u,--username", flags.username, "The user", {.shown = "USER"});
  line.value("-p,--password", flags.password, "The password (others on this host may see it while this runs)",
             {.shown = "PASSWORD"});
  line.flag("--password-stdin", flags.password_stdin, "Read the password from standard input");
  line.word("REGISTRY", target, cli::Need::optional, "Host name with or without a port");
  if (!TRY(line.parse())) return 0;
  std::signal(SIGPIPE, SIG_IGN);
  const std::string registry = TRY(parse_registry(target));
  const registry::Login login = TRY(gather_login(flags, registry));
  TRY_CONTEXT(check_and_store(flags, registry, login), "cannot log in to {}", registry);
  fmt::print("Login Succeeded!\n");
  return 0;
}

Result<int> logout(const cli::Invocation& invocation) {
  std::optional<std::string> target;
  std::string authfile;
  bool all = false;
  cli::Flags line(invocation, "[flags] [REGISTRY]", "Forgets the stored credentials for a registry.",
                  "  berth logout localhost:5000\n"
                  "  berth logout --all\n");
  line.flag("-a,--all", all, "Forget those for all registries");
  line.value("--authfile", authfile, "File with the credentials (containers-auth.json)", {.shown = "FILE"});
  line.word("REGISTRY", target, cli::Need::optional, "Host name with or without a port");
  if (!TRY(line.parse())) return 0;
  const registry::CredentialPlaces places = registry::credential_places(authfile);
  if (all) {
    if (target) return fail(Code::usage, "--all and a registry can't be given together");
    TRY_CONTEXT(registry::forget_all_logins(places), "cannot log out");
    fmt::print("Removed the login credentials for all registries\n");
    return 0;
  }
  const std::string registry = TRY(parse_registry(target.value_or(std::string(oci::kDefaultRegistry))));
  if (TRY_CONTEXT(registry::forget_login(places, registry), "cannot log out of {}", registry)) {
    fmt::print("Removed login credentials for {}\n", registry);
    return 0;
  }
  // Pulls would still find what another file has.
  const auto elsewhere = TRY(registry::find_login(places, registry, ""));
  Error error{Code::not_found, 0, fmt::format("cannot log out of {}: not logged in there", registry), {}};
  if (elsewhere) error.hint = "Other files have credentials for it; name the file with --authfile.";
  return std::unexpected(std::move(error));
}

}  // namespace berth::transfer_cli
