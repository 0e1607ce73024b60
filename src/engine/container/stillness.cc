#include "engine/container/stillness.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "engine/container/announce.h"
#include "engine/container/status.h"

namespace berth::engine {

namespace {

constexpr const char* kDirectory = "still";

std::string path_of(std::string_view id) {
  return fmt::format("{}/{}", kDirectory, id);
}

// Whoever had the lock before removes the file.
bool is_there(const store::Store& store, const std::string& path, const sys::FileLock& lock) {
  struct stat own{};
  const auto named = sys::stat_at(store.run_root(), path, AT_SYMLINK_NOFOLLOW);
  return named && ::fstat(lock.fd(), &own) == 0 && named->st_ino == own.st_ino;
}

Result<sys::FileLock> lock_file(const store::Store& store, const std::string& path) {
  TRY(sys::ensure_dir_at(store.run_root(), kDirectory, 0700));
  while (true) {
    sys::FileLock lock = TRY(sys::FileLock::exclusive(store.run_root(), path));
    if (is_there(store, path, lock)) return lock;
  }
}

void remove_file(const store::Store& store, const std::string& path) {
  if (::unlinkat(store.run_root(), path.c_str(), 0) != 0 && errno != ENOENT)
    log::debug("remove {}: {}", path, describe_errno(errno));
}

Result<> thaw_one(store::Store& store, const std::string& id) {
  const std::string path = path_of(id);
  const Result<sys::FileLock> lock = sys::FileLock::try_existing(store.run_root(), path);
  // The command that has it lives, or is done with it.
  if (!lock) return {};
  if (!is_there(store, path, *lock)) return {};
  const bool paused = live_status(store, id) && is_paused(store, id);
  TRY(thaw_if_paused(store, id));
  remove_file(store, path);
  if (!paused) return {};
  const Result<store::ContainerRecord> record = store::find_container(store.db(), id);
  if (record) announce(store, *record, events::kUnpause);
  return {};
}

}  // namespace

Result<Stillness> Stillness::begin(store::Store& store, const store::ContainerRecord& record) {
  const auto moves = [&] { return live_status(store, record.id) && !is_paused(store, record.id); };
  if (!moves()) return Stillness(store, nullptr, {});
  const std::string path = path_of(record.id);
  sys::FileLock lock = TRY(lock_file(store, path));
  // Somebody may have paused it while that was waited for.
  const bool ours = moves();
  const Result<> paused = ours ? pause_container(store, record) : Result<>();
  if (!ours || !paused) remove_file(store, path);
  if (!paused) return std::unexpected(paused.error());
  fault::point("held-still");
  return Stillness(store, ours ? &record : nullptr, std::move(lock));
}

Stillness::Stillness(Stillness&& other) noexcept
    : store_(other.store_), record_(std::exchange(other.record_, nullptr)), lock_(std::move(other.lock_)) {}

Stillness::~Stillness() {
  if (record_ == nullptr) return;
  const Result<> gone_on = unpause_container(store_, *record_);
  if (!gone_on) log::warn("{} is still paused: {}", record_->name, gone_on.error().message);
  remove_file(store_, path_of(record_->id));
}

Result<> thaw_abandoned(store::Store& store) {
  const Result<sys::UniqueFd> directory =
      sys::open_at(store.run_root(), kDirectory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!directory && directory.error().err == ENOENT) return {};
  if (!directory) return std::unexpected(directory.error());
  for (const std::string& id : TRY(sys::list_dir(directory->get()))) TRY(thaw_one(store, id));
  return {};
}

}  // namespace berth::engine
