// Where credentials are looked for, and kept.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "registry/auth_file.h"

namespace berth::registry {

// What decides on the files, so that tests need not change the process's environment.
struct CredentialPlaces {
  std::string store;              // what login writes
  std::vector<std::string> read;  // in this order; the first file that knows the registry wins
};

// `authfile` (--authfile) alone if it is not empty, else $REGISTRY_AUTH_FILE alone, else, as
// containers-auth.json(5) has it: $XDG_RUNTIME_DIR/containers/auth.json (without that variable
// /run/containers/UID/auth.json), then $XDG_CONFIG_HOME or ~/.config/containers/auth.json, then
// $DOCKER_CONFIG or ~/.docker/config.json.
CredentialPlaces credential_places(const std::string& authfile);

// The login for an image's registry, or none. A file that is not there is passed over, one that can't be read
// is an error.
Result<std::optional<Login>> find_login(const CredentialPlaces& places, const std::string& registry,
                                        const std::string& repository);

// Keeps the login in places.store (mode 0600, replaced in one step) or in the helper that it names.
Result<> store_login(const CredentialPlaces& places, const std::string& registry, const Login& login);

// Forgets it there; false if there was nothing.
Result<bool> forget_login(const CredentialPlaces& places, const std::string& registry);
Result<> forget_all_logins(const CredentialPlaces& places);

}  // namespace berth::registry
