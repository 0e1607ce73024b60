#include "store/store.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "sys/file.h"

namespace berth::store {

namespace {

constexpr mode_t kPrivate = 0700;

Result<sys::UniqueFd> open_private_dir(const std::string& path, std::string_view flag, Privacy privacy) {
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
  if (privacy == Privacy::required && (st.st_uid != ::geteuid() || (st.st_mode & 077) != 0)) {
    Error error{Code::refused,
                0,
                fmt::format("the directory {} can be entered by other users of this host", path),
                {}};
    return std::unexpected(std::move(error).with_hint(fmt::format(
        "Make it root's alone (chown root {0}; chmod 0700 {0}) or name another with {1}.", path, flag)));
  }
  return dir;
}

constexpr std::array<const char*, 8> kDirectories{"blobs",      "blobs/sha256", "layers", "identities",
                                                  "containers", "volumes",      "cache",  "tmp"};
constexpr const char* kDatabase = "berth.db";
constexpr const char* kNewDatabase = "berth.db.new";
constexpr std::array<const char*, 3> kDatabaseFiles{"", "-wal", "-shm"};

bool has_database(int root) {
  const Result<struct stat> st = sys::stat_at(root, kDatabase, AT_SYMLINK_NOFOLLOW);
  return st && st->st_size > 0;
}

Result<size_t> count(int root, const char* directory, size_t least_length) {
  const Result<sys::UniqueFd> opened = sys::open_at(root, directory, O_RDONLY | O_DIRECTORY);
  if (!opened && opened.error().err == ENOENT) return size_t{0};
  if (!opened) return std::unexpected(opened.error());
  const std::vector<std::string> names = TRY(sys::list_dir(opened->get()));
  return static_cast<size_t>(std::count_if(
      names.begin(), names.end(), [&](const std::string& name) { return name.size() >= least_length; }));
}

// An error if the store holds something that only a database can have told of.
Result<> check_empty(int root, const std::string& path) {
  constexpr size_t kIdLength = 64;
  const size_t containers = TRY(count(root, "containers", kIdLength));  // there is a lock beside them
  const size_t volumes = TRY(count(root, "volumes", 1));
  const size_t layers = TRY(count(root, "layers", 1));
  if (containers + volumes + layers == 0) return {};
  auto lost = fail(
      "the store's database {}/{} is gone, and the store is not empty ({} containers, {} volumes, {} layers)",
      path, kDatabase, containers, volumes, layers);
  lost.error().hint = kRebuildHint;
  return lost;
}

struct Directories {
  sys::UniqueFd root;
  sys::UniqueFd run_root;
};

Result<Directories> open_directories(const Locations& locations, Privacy privacy) {
  Directories opened{TRY(open_private_dir(locations.root, "--root", privacy)),
                     TRY(open_private_dir(locations.run_root, "--runroot", privacy))};
  // The database is made last, so where it is the directories are too.
  if (!has_database(opened.root.get())) {
    for (const char* name : kDirectories) TRY(sys::ensure_dir_at(opened.root.get(), name, kPrivate));
  }
  if (!sys::exists_at(opened.run_root.get(), "containers"))
    TRY(sys::ensure_dir_at(opened.run_root.get(), "containers", kPrivate));
  return opened;
}

Result<> remove_database(int root, const std::string& name) {
  for (const char* suffix : kDatabaseFiles) {
    if (::unlinkat(root, (name + suffix).c_str(), 0) != 0 && errno != ENOENT)
      return fail_errno(errno, "remove {}{}", name, suffix);
  }
  return {};
}

Result<> move(int root, const std::string& from, const std::string& to) {
  if (::renameat(root, from.c_str(), root, to.c_str()) != 0 && errno != ENOENT)
    return fail_errno(errno, "move {} to {}", from, to);
  return {};
}

}  // namespace

Result<Store> Store::open(Locations locations, Privacy privacy) {
  Directories opened = TRY(open_directories(locations, privacy));
  const int root = opened.root.get();
  // SQLite would throw the log of a database that is gone away, so it is asked before that. In this order: a
  // store has its database before anything else.
  const auto check = [&] { return check_empty(root, locations.root); };
  if (!has_database(root)) {
    const Result<> empty = check();
    if (!empty && !has_database(root)) return std::unexpected(empty.error());
  }
  Database db = TRY(Database::open(fmt::format("{}/{}", locations.root, kDatabase), check));
  return Store(std::move(locations), std::move(opened.root), std::move(opened.run_root), std::move(db));
}

Result<Store> Store::begin_rebuild(Locations locations) {
  Directories opened = TRY(open_directories(locations, Privacy::required));
  for (const char* name : kDirectories) TRY(sys::ensure_dir_at(opened.root.get(), name, kPrivate));
  const std::string path = fmt::format("{}/{}", locations.root, kDatabase);
  if (TRY(Database::is_whole(path))) {
    Error error{Code::conflict,
                0,
                fmt::format("the store's database {} is whole: there is nothing to rebuild", path),
                {}};
    return std::unexpected(
        std::move(error).with_hint("`berth system repair` puts right what killed processes left."));
  }
  TRY(remove_database(opened.root.get(), kNewDatabase));
  Database db = TRY(Database::open(fmt::format("{}/{}", locations.root, kNewDatabase)));
  return Store(std::move(locations), std::move(opened.root), std::move(opened.run_root), std::move(db));
}

Result<std::string> Store::finish_rebuild(Store store) {
  // One file that has everything, without a log beside it.
  TRY(store.db_.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  const int root = store.root();
  const std::string directory = store.locations_.root;
  {
    const Database closed = std::move(store.db_);
  }
  for (const char* suffix : {"-wal", "-shm"}) {
    if (::unlinkat(root, fmt::format("{}{}", kNewDatabase, suffix).c_str(), 0) != 0 && errno != ENOENT)
      return fail_errno(errno, "remove {}{}", kNewDatabase, suffix);
  }
  fault::point("rebuilt");
  std::string damaged;
  if (sys::exists_at(root, kDatabase)) damaged = fmt::format("berth.db.damaged-{}", now_nanoseconds());
  // The log first: nobody may ever see it beside the new file.
  for (const char* suffix : {"-wal", "-shm", ""}) {
    const std::string name = fmt::format("{}{}", kDatabase, suffix);
    if (damaged.empty() && ::unlinkat(root, name.c_str(), 0) != 0 && errno != ENOENT)
      return fail_errno(errno, "remove {}", name);
    if (!damaged.empty()) TRY(move(root, name, damaged + suffix));
  }
  fault::point("damaged-set-aside");
  TRY(move(root, kNewDatabase, kDatabase));
  const sys::UniqueFd whole = TRY(sys::open_at(root, ".", O_RDONLY | O_DIRECTORY));
  if (::fsync(whole.get()) != 0) return fail_errno(errno, "write {} to the disk", directory);
  return damaged.empty() ? damaged : directory + "/" + damaged;
}

}  // namespace berth::store
