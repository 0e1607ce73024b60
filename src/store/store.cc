#include "store/store.h"

#include <array>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/file.h"

namespace berth::store {

namespace {

constexpr mode_t kPrivate = 0700;

Result<sys::UniqueFd> open_private_dir(const std::string& path, std::string_view flag) {
  Result<sys::UniqueFd> dir = sys::open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY);
  if (!dir && dir.error().err == ENOENT) {
    if (const std::string parent = path.substr(0, path.rfind('/')); !parent.empty()) {
      TRY(sys::ensure_dirs(parent, 0755));
    }
    // Private from the first moment: another command may look at it at once.
    TRY(sys::ensure_dir_at(AT_FDCWD, path, kPrivate));
    dir = sys::open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY);
  }
  if (!dir) return dir;
  const struct stat st = TRY(sys::stat_at(dir->get(), "", AT_EMPTY_PATH));
  // A setuid file of a layer must not be within reach of any host user.
  if (st.st_uid != ::geteuid() || (st.st_mode & 077) != 0) {
    Error error{Code::refused,
                0,
                fmt::format("the directory {} can be entered by other users of this host", path),
                {}};
    return std::unexpected(std::move(error).with_hint(fmt::format(
        "Make it root's alone (chown root {0}; chmod 0700 {0}) or name another with {1}.", path, flag)));
  }
  return dir;
}

}  // namespace

Result<Store> Store::open(Locations locations) {
  constexpr std::array<const char*, 8> kDirectories{"blobs",      "blobs/sha256", "layers", "identities",
                                                    "containers", "volumes",      "cache",  "tmp"};
  sys::UniqueFd root = TRY(open_private_dir(locations.root, "--root"));
  sys::UniqueFd run_root = TRY(open_private_dir(locations.run_root, "--runroot"));
  // The database is made last, so where it is the directories are too.
  if (!sys::exists_at(root.get(), "berth.db")) {
    for (const char* name : kDirectories) TRY(sys::ensure_dir_at(root.get(), name, kPrivate));
  }
  if (!sys::exists_at(run_root.get(), "containers"))
    TRY(sys::ensure_dir_at(run_root.get(), "containers", kPrivate));
  Database db = TRY(Database::open(locations.root + "/berth.db"));
  return Store(std::move(locations), std::move(root), std::move(run_root), std::move(db));
}

}  // namespace berth::store
