#include "config/load.h"

#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <sys/stat.h>

#include "config/document.h"
#include "config/merge.h"
#include "config/parse.h"
#include "sys/file.h"

namespace berth::config {

namespace {

constexpr mode_t kWritableForOthers = S_IWGRP | S_IWOTH;

// The file that was opened, not its name, is looked at: the name may mean another one by now.
Result<> check_file(const struct stat& file, const std::string& path) {
  if (!S_ISREG(file.st_mode)) return fail(Code::refused, "{} is not a regular file", path);
  return {};
}

Result<> check_owner(const struct stat& file, const std::string& path, uid_t owner) {
  if (file.st_uid != owner) {
    Error error{Code::refused,
                0,
                fmt::format("{} belongs to user {}, and must belong to {}", path, file.st_uid, owner),
                {}};
    return std::unexpected(std::move(error).with_hint(
        "Who can write it makes the policy: look at what it says, then `chown root:root` it."));
  }
  if ((file.st_mode & kWritableForOthers) != 0) {
    Error error{
        Code::refused,
        0,
        fmt::format("{} can be written by others than its owner (mode {:04o})", path, file.st_mode & 07777U),
        {}};
    return std::unexpected(std::move(error).with_hint(
        "Who can write it makes the policy: look at what it says, then `chmod go-w` it."));
  }
  return {};
}

// O_NONBLOCK: a FIFO is refused, not waited for.
Result<sys::UniqueFd> open_file(const std::string& path) {
  return sys::open_at(AT_FDCWD, path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
}

Result<std::string> read_text(int fd) {
  std::string text = TRY(sys::read_all(fd, kMaxDocumentBytes));
  return text;
}

Result<Config> load_system(const Sources& sources) {
  auto fd = open_file(sources.system);
  if (!fd && fd.error().err == ENOENT) return Config{};
  if (!fd) return std::unexpected(std::move(fd).error());
  const struct stat file = TRY(sys::stat_at(fd->get(), "", AT_EMPTY_PATH));
  TRY(check_file(file, sources.system));
  TRY(check_owner(file, sources.system, sources.owner));
  const std::string text = TRY_CONTEXT(read_text(fd->get()), "read {}", sources.system);
  return parse(text, sources.system);
}

Result<Config> load_second(const std::string& path) {
  const sys::UniqueFd fd = TRY(open_file(path));
  const struct stat file = TRY(sys::stat_at(fd.get(), "", AT_EMPTY_PATH));
  TRY(check_file(file, path));
  const std::string text = TRY_CONTEXT(read_text(fd.get()), "read {}", path);
  return parse(text, path);
}

}  // namespace

Sources sources_from_environment() {
  Sources sources;
  if (const char* second = std::getenv("BERTH_CONFIG")) sources.second = second;
  return sources;
}

Result<Config> load(const Sources& sources) {
  Config config = TRY_CONTEXT(load_system(sources), "cannot use the configuration");
  if (!sources.second.empty()) {
    const Config second =
        TRY_CONTEXT(load_second(sources.second), "cannot use the configuration that BERTH_CONFIG names");
    config =
        TRY_CONTEXT(merge(std::move(config), second), "cannot use the configuration that BERTH_CONFIG names");
  }
  TRY_CONTEXT(check_names(config), "cannot use the configuration");
  return config;
}

}  // namespace berth::config
