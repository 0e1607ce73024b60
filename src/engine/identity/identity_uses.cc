#include "engine/identity/identity_uses.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/container/status.h"
#include "store/staging.h"

namespace berth::engine {

namespace {

constexpr const char* kLock = "identities.lock";
constexpr const char* kUse = "identity";
constexpr size_t kLongestKey = 200;

struct Candidate {
  std::string key;
  timespec made{};
};

bool later(const Candidate& a, const Candidate& b) {
  if (a.made.tv_sec != b.made.tv_sec) return a.made.tv_sec > b.made.tv_sec;
  return a.made.tv_nsec > b.made.tv_nsec;
}

Result<std::set<std::string>> keys_in_use(const store::Store& store) {
  std::set<std::string> keys;
  const Result<sys::UniqueFd> containers =
      sys::open_at(store.run_root(), "containers", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!containers && containers.error().err == ENOENT) return keys;
  if (!containers) return std::unexpected(containers.error());
  for (const std::string& id : TRY(sys::list_dir(containers->get()))) {
    const Result<std::string> key = sys::read_file_at(containers->get(), id + "/" + kUse, kLongestKey);
    if (key) {
      keys.insert(*key);
    } else if (key.error().err != ENOENT && key.error().err != ENOTDIR) {
      return std::unexpected(key.error());
    }
  }
  return keys;
}

Result<> remove_all_but_the_latest(const store::Store& store, std::string_view image) {
  const sys::UniqueFd identities = TRY(sys::open_at(store.root(), "identities", O_RDONLY | O_DIRECTORY));
  const std::string prefix = std::string(image) + "-";
  std::vector<Candidate> unused;
  for (std::string& name : TRY(sys::list_dir(identities.get()))) {
    if (name.starts_with(prefix)) unused.push_back({std::move(name), {}});
  }
  // The usual case is over before any container is looked at.
  if (unused.size() <= kKeptIdentities) return {};
  const std::set<std::string> used = TRY(keys_in_use(store));
  std::erase_if(unused, [&](const Candidate& candidate) { return used.contains(candidate.key); });
  if (unused.size() <= kKeptIdentities) return {};
  for (Candidate& candidate : unused) {
    struct stat st{};
    if (::fstatat(identities.get(), candidate.key.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0)
      candidate.made = st.st_mtim;
  }
  std::sort(unused.begin(), unused.end(), later);
  const store::Staging staging = TRY(store::Staging::create(store));
  for (auto candidate = unused.begin() + kKeptIdentities; candidate != unused.end(); ++candidate) {
    // Moved away in one step, so that a crash leaves none that is half there; it goes with the staging.
    if (::renameat(identities.get(), candidate->key.c_str(), staging.fd(), candidate->key.c_str()) != 0 &&
        errno != ENOENT)
      return fail_errno(errno, "remove the identity {}", candidate->key);
  }
  return {};
}

}  // namespace

Result<IdentityUse> IdentityUse::begin(const store::Store& store) {
  return IdentityUse(store, TRY(sys::FileLock::shared(store.root(), kLock)));
}

Result<> IdentityUse::record(std::string_view container, std::string_view key) const {
  if (container.empty()) return {};
  const std::string path = container_directory(container);
  TRY(sys::ensure_dir_at(store_.run_root(), path, 0700));
  const sys::UniqueFd file = TRY(
      sys::open_at(store_.run_root(), path + "/" + kUse, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
  return sys::write_all(file.get(), key);
}

void remove_unused_identities(const store::Store& store, std::string_view image) {
  const Result<sys::FileLock> nobody_starts = sys::FileLock::try_exclusive(store.root(), kLock);
  if (!nobody_starts) return;
  if (const Result<> removed = remove_all_but_the_latest(store, image); !removed)
    log::debug("removing identities that nobody uses: {}", removed.error().message);
}

}  // namespace berth::engine
