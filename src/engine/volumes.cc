#include "engine/volumes.h"

#include <array>
#include <cerrno>
#include <ctime>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "engine/names.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

Result<std::string> random_name() {
  std::array<unsigned char, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return fail_errno(errno, "get random bytes for a volume's name");
  }
  std::string name;
  for (const unsigned char byte : bytes) name += fmt::format("{:02x}", byte);
  return name;
}

// The directory first, then the record: a record always has its directory.
Result<> ensure_volume(store::Store& store, const std::string& name, bool anonymous) {
  const std::string path = "volumes/" + name;
  TRY(sys::ensure_dir_at(store.root(), path, 0700));
  TRY(sys::ensure_dir_at(store.root(), path + "/_data", 0755));
  store::Statement insert = TRY(store.db().prepare(
      "INSERT OR IGNORE INTO volumes (name, created_at, anonymous, labels) VALUES (?, ?, ?, '{}')"));
  return insert.bind(1, name).bind(2, int64_t{::time(nullptr)}).bind(3, int64_t{anonymous ? 1 : 0}).run();
}

}  // namespace

Result<> prepare_volumes(store::Store& store, ContainerSpec& spec) {
  for (MountSpec& mount : spec.mounts) {
    if (mount.type != "volume") continue;
    const bool anonymous = mount.source.empty();
    const std::string name = anonymous ? TRY(random_name()) : mount.source;
    TRY_CONTEXT(check_name(name), "volume");
    TRY_CONTEXT(ensure_volume(store, name, anonymous), "make the volume {}", name);
    mount.volume = name;
    mount.source = fmt::format("{}/volumes/{}/_data", store.locations().root, name);
  }
  return {};
}

}  // namespace berth::engine
