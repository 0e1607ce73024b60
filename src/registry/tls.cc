#include "registry/tls.h"

#include <algorithm>
#include <array>

#include <fcntl.h>

#include "sys/file.h"

namespace berth::registry {

namespace {

constexpr size_t kMaxCertificates = 1UL << 20;

Result<> add_directory(const std::string& path, const sys::UniqueFd& dir, Certificates& out) {
  std::vector<std::string> names = TRY(sys::list_dir(dir.get()));
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    if (name.ends_with(".crt")) {
      out.authorities += TRY_CONTEXT(sys::read_file_at(dir.get(), name, kMaxCertificates), "{}", path);
      out.authorities += '\n';
    } else if (name.ends_with(".cert")) {
      const std::string key = name.substr(0, name.size() - 4) + "key";
      if (!sys::exists_at(dir.get(), key)) {
        return fail("{}/{}: the key {} is missing beside the client certificate", path, name, key);
      }
      if (!out.client_certificate_path.empty()) continue;
      out.client_certificate_path = path + "/" + name;
      out.client_key_path = path + "/" + key;
    }
  }
  return {};
}

}  // namespace

Result<Certificates> find_certificates(const std::string& host_and_port, const std::string& directory) {
  Certificates out;
  if (!directory.empty()) {
    const sys::UniqueFd dir =
        TRY_CONTEXT(sys::open_at(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY), "--cert-dir");
    TRY(add_directory(directory, dir, out));
    return out;
  }
  // The name becomes a part of a path: it is a registry's or a URL's host, which has no slash; "." and ".."
  // are none.
  if (host_and_port.find('/') != std::string::npos || host_and_port.starts_with('.')) return out;
  constexpr std::array<const char*, 2> kPlaces{"/etc/containers/certs.d", "/etc/docker/certs.d"};
  for (const char* place : kPlaces) {
    const std::string path = fmt::format("{}/{}", place, host_and_port);
    const Result<sys::UniqueFd> dir = sys::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
    if (dir) TRY(add_directory(path, *dir, out));
    if (!dir && dir.error().err != ENOENT && dir.error().err != ENOTDIR) return std::unexpected(dir.error());
  }
  return out;
}

}  // namespace berth::registry
