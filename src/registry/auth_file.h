// The file with the credentials for registries: containers-auth.json(5), which Docker's config.json is one
// form of.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::registry {

// Who one is to a registry: a user and a password, or an identity token in place of the password.
struct Login {
  std::string username;
  std::string password;
  std::string identity_token;
};

inline constexpr size_t kMaxAuthFileBytes = 1UL << 20;

// The file's contents. What berth does not know in it is kept when it is changed.
class AuthFile {
 public:
  AuthFile();  // an empty one
  static Result<AuthFile> parse(std::string_view text);
  AuthFile(const AuthFile&) = delete;
  AuthFile& operator=(const AuthFile&) = delete;
  AuthFile(AuthFile&&) noexcept;
  AuthFile& operator=(AuthFile&&) noexcept;
  ~AuthFile();

  // The login for an image, by the most specific entry ("localhost:5000/team/app", "localhost:5000/team",
  // "localhost:5000"). An entry may be written as a URL, as Docker does.
  [[nodiscard]] Result<std::optional<Login>> find(std::string_view registry,
                                                  std::string_view repository) const;

  // The name of the helper program that keeps the registry's credentials; "" if none does. It consists of
  // letters, digits, '.', '_' and '-', or it is an error.
  [[nodiscard]] Result<std::string> helper_for(std::string_view registry) const;

  void set(const std::string& registry, const Login& login);
  // False if there was nothing to remove.
  bool remove(std::string_view registry);
  void remove_all();
  // The registries that have entries, as find() understands them.
  [[nodiscard]] std::vector<std::string> registries() const;

  [[nodiscard]] Result<std::string> emit() const;

 private:
  explicit AuthFile(nlohmann::json document);
  std::unique_ptr<nlohmann::json> document_;
};

}  // namespace berth::registry
