#include "store/staging.h"

#include <cerrno>
#include <chrono>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/log.h"
#include "sys/file.h"

namespace berth::store {

namespace {

constexpr std::string_view kStagingPrefix = "staging-";
constexpr std::string_view kLockSuffix = ".lock";

Result<sys::UniqueFd> open_tmp(const Store& store) {
  return sys::open_at(store.root(), "tmp", O_RDONLY | O_DIRECTORY);
}

bool lock(int fd, int operation) {
  int rc = 0;
  do {
    rc = ::flock(fd, operation);
  } while (rc != 0 && errno == EINTR);
  return rc == 0;
}

// Between the making of a name and its lock, somebody who cleans up may have been faster.
bool still_linked(int fd) {
  struct stat st{};
  return ::fstat(fd, &st) == 0 && st.st_nlink > 0;
}

std::string random_name() {
  uint64_t number = 0;
  // It can't fail for so few bytes; and if it did, mkdir would notice a name that is taken.
  [[maybe_unused]] const ssize_t n = ::getrandom(&number, sizeof number, 0);
  return fmt::format("{}{:016x}", kStagingPrefix, number);
}

}  // namespace

Result<Staging> Staging::create(const Store& store) {
  sys::UniqueFd parent = TRY(open_tmp(store));
  while (true) {
    std::string name = random_name();
    if (::mkdirat(parent.get(), name.c_str(), 0700) != 0) {
      const int err = errno;
      if (err == EEXIST) continue;
      return fail_errno(err, "make the directory {}/tmp/{}", store.locations().root, name);
    }
    Result<sys::UniqueFd> dir = sys::open_at(parent.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!dir && dir.error().err == ENOENT) continue;
    if (!dir) return std::unexpected(std::move(dir).error());
    if (lock(dir->get(), LOCK_EX | LOCK_NB) && still_linked(dir->get())) {
      return Staging(std::move(parent), std::move(name), std::move(*dir));
    }
  }
}

Staging::Staging(Staging&& other) noexcept = default;
Staging& Staging::operator=(Staging&& other) noexcept {
  if (this != &other) {
    remove();
    parent_ = std::move(other.parent_);
    name_ = std::move(other.name_);
    dir_ = std::move(other.dir_);
  }
  return *this;
}
Staging::~Staging() {
  remove();
}

void Staging::remove() {
  if (!dir_) return;
  const Result<> removed = sys::remove_tree_at(parent_.get(), name_);
  if (!removed) log::warn("cannot remove unfinished work: {}", removed.error().message);
  dir_.reset();
}

Result<KeyLock> KeyLock::acquire(const Store& store, const std::string& key) {
  return acquire_by(store, key, [&](int file) -> Result<> {
    if (lock(file, LOCK_EX)) return {};
    return fail_errno(errno, "lock {}", key);
  });
}

Result<KeyLock> KeyLock::acquire(const Store& store, const std::string& key,
                                 const std::function<bool()>& interrupted) {
  constexpr std::chrono::milliseconds kPause{20};
  return acquire_by(store, key, [&](int file) -> Result<> {
    while (!lock(file, LOCK_EX | LOCK_NB)) {
      if (errno != EWOULDBLOCK) return fail_errno(errno, "lock {}", key);
      if (interrupted()) return fail("interrupted");
      std::this_thread::sleep_for(kPause);
    }
    return {};
  });
}

Result<KeyLock> KeyLock::acquire_by(const Store& store, const std::string& key, const Wait& wait) {
  sys::UniqueFd parent = TRY(open_tmp(store));
  std::string name = fmt::format("{}{}", key, kLockSuffix);
  while (true) {
    sys::UniqueFd file = TRY(sys::open_at(parent.get(), name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
    TRY(wait(file.get()));
    // Its last holder removed it while this one waited: another file has the name now, or none.
    if (still_linked(file.get())) return KeyLock(std::move(parent), std::move(name), std::move(file));
  }
}

KeyLock& KeyLock::operator=(KeyLock&& other) noexcept {
  if (this != &other) {
    release();
    parent_ = std::move(other.parent_);
    name_ = std::move(other.name_);
    file_ = std::move(other.file_);
  }
  return *this;
}

void KeyLock::release() {
  if (!file_) return;
  // Removed while it is held, so that the name is never somebody else's.
  ::unlinkat(parent_.get(), name_.c_str(), 0);
  file_.reset();
}

Result<> clean_staging(const Store& store) {
  const sys::UniqueFd tmp = TRY(open_tmp(store));
  for (const std::string& name : TRY(sys::list_dir(tmp.get()))) {
    const bool is_staging = name.starts_with(kStagingPrefix);
    if (!is_staging && !name.ends_with(kLockSuffix)) continue;
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | (is_staging ? O_DIRECTORY : 0);
    const Result<sys::UniqueFd> fd = sys::open_at(tmp.get(), name, flags);
    if (!fd && fd.error().err == ENOENT) continue;
    if (!fd) return std::unexpected(fd.error());
    if (!lock(fd->get(), LOCK_EX | LOCK_NB) || !still_linked(fd->get())) continue;
    log::debug("removing {}, whose maker has died", name);
    TRY(sys::remove_tree_at(tmp.get(), name));
  }
  return {};
}

}  // namespace berth::store
