#include "lifecycle/directory.h"

#include <algorithm>
#include <cerrno>
#include <thread>

#include <fcntl.h>

namespace berth::lifecycle {

namespace {

std::unexpected<Error> no_such_container(const std::string& id) {
  return fail(Code::not_found, "container \"{}\" does not exist", id);
}

// Whether the ID still stands for this directory.
bool is_still(const Root& root, const std::string& id, int directory) {
  const Result<struct stat> now = sys::stat_at(root.fd(), id, AT_SYMLINK_NOFOLLOW);
  const Result<struct stat> then = sys::stat_at(directory, "", AT_EMPTY_PATH);
  return now && then && now->st_dev == then->st_dev && now->st_ino == then->st_ino;
}

}  // namespace

Result<> check_id(const std::string& id) {
  constexpr size_t kLongest = 1024;
  constexpr const char* kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.";
  if (!id.empty() && id.size() <= kLongest && id != "." && id != ".." &&
      id.find_first_not_of(kAllowed) == std::string::npos)
    return {};
  Error error{Code::usage, 0, fmt::format("\"{}\" is no ID of a container", id), {}};
  return std::unexpected(
      std::move(error).with_hint("An ID has letters, digits and any of \"_+-.\", at most 1024."));
}

Result<Root> Root::open(const std::string& path) {
  TRY(sys::ensure_dirs(path, 0700));
  return Root(path, TRY(sys::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY)));
}

Result<std::vector<std::string>> Root::ids() const {
  const sys::UniqueFd again = TRY(sys::open_at(fd(), ".", O_RDONLY | O_DIRECTORY));
  std::vector<std::string> names = TRY(sys::list_dir(again.get()));
  std::erase_if(names, [](const std::string& name) { return !check_id(name); });
  std::sort(names.begin(), names.end());
  return names;
}

Result<Directory> make_directory(const Root& root, const std::string& id) {
  TRY(check_id(id));
  if (!TRY(sys::ensure_dir_at(root.fd(), id, 0700)))
    return fail(Code::conflict, "container with id \"{}\" already exists", id);
  return open_directory(root, id);
}

Result<Directory> open_directory(const Root& root, const std::string& id) {
  sys::UniqueFd fd = TRY(look_into(root, id));
  Result<sys::FileLock> lock = sys::FileLock::exclusive(fd.get(), kLockFile);
  // It may have been deleted while this one waited.
  if (!lock && lock.error().err == ENOENT) return no_such_container(id);
  if (!lock) return std::unexpected(lock.error());
  if (!is_still(root, id, fd.get())) return no_such_container(id);
  return Directory{id, std::move(fd), std::move(*lock)};
}

Result<Directory> open_directory_within(const Root& root, const std::string& id,
                                        std::chrono::milliseconds patience, const Meanwhile& meanwhile) {
  constexpr std::chrono::milliseconds kPause{10};
  const auto end = std::chrono::steady_clock::now() + patience;
  sys::UniqueFd fd = TRY(look_into(root, id));
  while (true) {
    Result<sys::FileLock> lock = sys::FileLock::try_exclusive(fd.get(), kLockFile);
    const bool gone = (!lock && lock.error().err == ENOENT) || !is_still(root, id, fd.get());
    if (gone) return no_such_container(id);
    if (lock) return Directory{id, std::move(fd), std::move(*lock)};
    if (lock.error().code != Code::conflict) return std::unexpected(lock.error());
    if (std::chrono::steady_clock::now() > end) return Directory{id, std::move(fd), {}};
    meanwhile(fd.get());
    std::this_thread::sleep_for(kPause);
  }
}

Result<sys::UniqueFd> look_into(const Root& root, const std::string& id) {
  TRY(check_id(id));
  Result<sys::UniqueFd> fd = sys::open_at(root.fd(), id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!fd && fd.error().err == ENOENT) return no_such_container(id);
  return fd;
}

Result<> remove_directory(const Root& root, const Directory& directory) {
  // Another container may have the ID by now.
  if (!is_still(root, directory.id, directory.fd.get())) return {};
  return sys::remove_tree_at(root.fd(), directory.id);
}

}  // namespace berth::lifecycle
