// Programs that keep credentials: docker-credential-NAME, found in $PATH.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "registry/auth_file.h"

namespace berth::registry {

// `name` is one that AuthFile::helper_for() gave. A helper gets a minute, as it may ask its user something,
// and may write 64 KiB.
Result<std::optional<Login>> helper_get(const std::string& name, const std::string& registry);
Result<> helper_store(const std::string& name, const std::string& registry, const Login& login);
Result<> helper_erase(const std::string& name, const std::string& registry);

}  // namespace berth::registry
