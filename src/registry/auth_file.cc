#include "registry/auth_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "oci/json.h"
#include "registry/base64.h"

namespace berth::registry {

namespace {

// "https://index.docker.io/v1/" and "docker.io" are one; other URLs stand for their host.
std::string plain_key(std::string_view key) {
  const bool url = key.starts_with("https://") || key.starts_with("http://");
  if (url) {
    key.remove_prefix(key.find("//") + 2);
    key = key.substr(0, key.find('/'));
  }
  while (key.ends_with('/')) key.remove_suffix(1);
  const std::string_view host = key.substr(0, key.find('/'));
  const std::string_view rest = key.substr(host.size());
  if (host == "index.docker.io" || host == "registry-1.docker.io") return "docker.io" + std::string(rest);
  return std::string(key);
}

Result<std::optional<Login>> read_entry(const oci::JsonView& entry) {
  Login login;
  login.identity_token = TRY(entry.string_or_empty("identitytoken"));
  login.username = TRY(entry.string_or_empty("username"));
  login.password = TRY(entry.string_or_empty("password"));
  const std::string encoded = TRY(entry.string_or_empty("auth"));
  if (!encoded.empty()) {
    const std::optional<std::string> decoded = base64_decode(encoded);
    const size_t colon = decoded ? decoded->find(':') : std::string::npos;
    if (colon == std::string::npos) return entry.refuse("\"auth\" is not the Base64 of USER:PASSWORD");
    login.username = decoded->substr(0, colon);
    login.password = decoded->substr(colon + 1);
    // Docker once padded the password.
    while (login.password.ends_with('\0')) login.password.pop_back();
  }
  const bool empty = login.username.empty() && login.identity_token.empty();
  if (empty) return std::optional<Login>();
  return std::optional(std::move(login));
}

bool is_helper_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && name.front() != '.' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
                  c == '_' || c == '-';
         });
}

}  // namespace

AuthFile::AuthFile() : AuthFile(nlohmann::json::object()) {}
AuthFile::AuthFile(nlohmann::json document)
    : document_(std::make_unique<nlohmann::json>(std::move(document))) {}
AuthFile::AuthFile(AuthFile&&) noexcept = default;
AuthFile& AuthFile::operator=(AuthFile&&) noexcept = default;
AuthFile::~AuthFile() = default;

Result<AuthFile> AuthFile::parse(std::string_view text) {
  // An empty file is what `touch` or a full disk leaves.
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return AuthFile();
  nlohmann::json document = TRY(oci::parse_json(text, kMaxAuthFileBytes));
  const oci::JsonView view(document, "the document");
  if (const auto auths = TRY(view.find("auths"))) TRY(auths->keys());
  if (!document.contains("auths") || document["auths"].is_null())
    document["auths"] = nlohmann::json::object();
  return AuthFile(std::move(document));
}

Result<std::optional<Login>> AuthFile::find(std::string_view registry, std::string_view repository) const {
  const oci::JsonView view(*document_, "the document");
  const auto auths = TRY(view.find("auths"));
  if (!auths) return std::optional<Login>();
  const std::vector<std::string> keys = TRY(auths->keys());
  std::string wanted = plain_key(registry);
  const size_t shortest = wanted.size();
  if (!repository.empty()) wanted += "/" + std::string(repository);
  while (true) {
    for (const std::string& key : keys) {
      if (plain_key(key) != wanted) continue;
      const oci::JsonView entry = TRY(auths->member(key));
      std::optional<Login> login = TRY(read_entry(entry));
      if (login) return login;
    }
    if (wanted.size() <= shortest) return std::optional<Login>();
    wanted.resize(std::max(shortest, wanted.rfind('/')));
  }
}

Result<std::string> AuthFile::helper_for(std::string_view registry) const {
  const oci::JsonView view(*document_, "the document");
  std::string helper = TRY(view.string_or_empty("credsStore"));
  const auto helpers = TRY(view.string_map_or_empty("credHelpers"));
  for (const auto& [key, name] : helpers) {
    if (plain_key(key) == plain_key(registry)) helper = name;
  }
  if (!helper.empty() && !is_helper_name(helper)) {
    return fail(Code::refused, "\"{}\" is not the name of a credential helper", helper);
  }
  return helper;
}

void AuthFile::set(const std::string& registry, const Login& login) {
  remove(registry);
  nlohmann::json entry{{"auth", base64_encode(login.username + ":" + login.password)}};
  if (!login.identity_token.empty()) entry["identitytoken"] = login.identity_token;
  (*document_)["auths"][registry] = std::move(entry);
}

bool AuthFile::remove(std::string_view registry) {
  if (!document_->contains("auths")) return false;
  nlohmann::json& auths = (*document_)["auths"];
  bool removed = false;
  for (auto it = auths.begin(); it != auths.end();) {
    const bool matches = plain_key(it.key()) == plain_key(registry);
    removed |= matches;
    it = matches ? auths.erase(it) : std::next(it);
  }
  return removed;
}

void AuthFile::remove_all() {
  (*document_)["auths"] = nlohmann::json::object();
}

std::vector<std::string> AuthFile::registries() const {
  std::vector<std::string> out;
  const auto auths = document_->find("auths");
  if (auths == document_->end()) return out;
  for (const auto& [key, unused] : auths->items()) out.push_back(plain_key(key));
  return out;
}

Result<std::string> AuthFile::emit() const {
  try {
    return document_->dump(2) + "\n";
  } catch (const nlohmann::json::exception&) {
    return fail(Code::usage, "the user or the registry is not valid UTF-8");
  }
}

}  // namespace berth::registry
