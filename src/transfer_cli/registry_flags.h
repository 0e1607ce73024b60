// The flags that all commands which talk to a registry have.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/flags.h"
#include "oci/reference.h"
#include "registry/client.h"
#include "registry/credentials.h"

namespace berth::transfer_cli {

struct RegistryFlags {
  bool tls_verify = true;
  std::string cert_dir;
  std::string authfile;
  std::string stall_timeout = "30s";

  void add_to(cli::Flags& line);
  [[nodiscard]] Result<registry::HttpOptions> http_options() const;
};

// "500ms", "2s", "1m", "1h" or a number of seconds. Code::usage, naming the flag.
Result<std::chrono::milliseconds> parse_duration(std::string_view flag, std::string_view text);

// "USER:PASSWORD", or "USER" and the password is asked for at the terminal.
Result<registry::Login> parse_credentials(std::string_view text, const std::string& registry);

// The registry that a person named: "localhost:5000", "https://localhost:5000/".
Result<std::string> parse_registry(std::string_view text);

}  // namespace berth::transfer_cli
