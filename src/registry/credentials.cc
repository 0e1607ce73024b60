#include "registry/credentials.h"

#include <cstdlib>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "registry/credential_program.h"
#include "sys/file.h"

namespace berth::registry {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// None if there is no such file.
Result<std::optional<AuthFile>> read_auth_file(const std::string& path) {
  const Result<std::string> text = sys::read_file_at(AT_FDCWD, path, kMaxAuthFileBytes);
  if (!text) {
    if (text.error().err == ENOENT || text.error().err == ENOTDIR) return std::optional<AuthFile>();
    return std::unexpected(text.error());
  }
  AuthFile file = TRY_CONTEXT(AuthFile::parse(*text), "the credentials in {}", path);
  return std::optional(std::move(file));
}

// Changes the file under a lock on its directory, so that two logins at once both last.
template <typename Change>
Result<> update(const std::string& path, Change change) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  TRY(sys::ensure_dirs(directory, 0700));
  const sys::UniqueFd dir = TRY(sys::open_at(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY));
  if (::flock(dir.get(), LOCK_EX) != 0) return fail_errno(errno, "lock {}", directory);
  std::optional<AuthFile> found = TRY(read_auth_file(path));
  AuthFile file = found ? std::move(*found) : AuthFile();
  const bool changed = TRY_CONTEXT(change(file), "the credentials in {}", path);
  if (!changed) return {};
  const std::string text = TRY(file.emit());
  return sys::replace_file_at(dir.get(), name, text, 0600, sys::Durability::synced);
}

}  // namespace

CredentialPlaces credential_places(const std::string& authfile) {
  std::string only = authfile.empty() ? environment("REGISTRY_AUTH_FILE") : authfile;
  if (!only.empty()) return {only, {only}};
  const std::string home = environment("HOME");
  const std::string runtime_dir = environment("XDG_RUNTIME_DIR");
  CredentialPlaces places;
  places.store = runtime_dir.empty() ? fmt::format("/run/containers/{}/auth.json", ::geteuid())
                                     : runtime_dir + "/containers/auth.json";
  places.read.push_back(places.store);
  std::string config = environment("XDG_CONFIG_HOME");
  if (config.empty() && !home.empty()) config = home + "/.config";
  if (!config.empty()) places.read.push_back(config + "/containers/auth.json");
  std::string docker = environment("DOCKER_CONFIG");
  if (docker.empty() && !home.empty()) docker = home + "/.docker";
  if (!docker.empty()) places.read.push_back(docker + "/config.json");
  return places;
}

Result<std::optional<Login>> find_login(const CredentialPlaces& places, const std::string& registry,
                                        const std::string& repository) {
  for (const std::string& path : places.read) {
    const std::optional<AuthFile> file = TRY(read_auth_file(path));
    if (!file) continue;
    const std::string helper = TRY_CONTEXT(file->helper_for(registry), "the credentials in {}", path);
    std::optional<Login> login;
    if (!helper.empty())
      login = TRY_CONTEXT(helper_get(helper, registry), "the credentials for {}", registry);
    if (!login) login = TRY_CONTEXT(file->find(registry, repository), "the credentials in {}", path);
    if (login) return login;
  }
  return std::optional<Login>();
}

Result<> store_login(const CredentialPlaces& places, const std::string& registry, const Login& login) {
  return update(places.store, [&](AuthFile& file) -> Result<bool> {
    const std::string helper = TRY(file.helper_for(registry));
    if (helper.empty()) {
      file.set(registry, login);
      return true;
    }
    TRY(helper_store(helper, registry, login));
    return false;
  });
}

Result<bool> forget_login(const CredentialPlaces& places, const std::string& registry) {
  bool forgotten = false;
  const auto forget = [&](AuthFile& file) -> Result<bool> {
    const std::string helper = TRY(file.helper_for(registry));
    if (!helper.empty()) {
      const std::optional<Login> kept = TRY(helper_get(helper, registry));
      if (kept) TRY(helper_erase(helper, registry));
      forgotten = kept.has_value();
    }
    const bool changed = file.remove(registry);
    forgotten |= changed;
    return changed;
  };
  TRY(update(places.store, forget));
  return forgotten;
}

Result<> forget_all_logins(const CredentialPlaces& places) {
  return update(places.store, [&](AuthFile& file) -> Result<bool> {
    for (const std::string& registry : file.registries()) {
      const std::string helper = TRY(file.helper_for(registry));
      if (!helper.empty()) TRY(helper_erase(helper, registry));
    }
    file.remove_all();
    return true;
  });
}

}  // namespace berth::registry
