// Where berth-runtime keeps what it knows of its containers: a directory each below --root, 0700, with
//
//   record   what was made (record.h)
//   traces   what of it is on the host, in a form that stays (traces.h)
//   lock     held by whoever makes, starts, changes or deletes the container
//   start    the socket at which its process waits; gone once it has been started
//
// They end with the boot, as the containers do: --root is on a tmpfs.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "sys/file.h"
#include "sys/unique_fd.h"

namespace berth::lifecycle {

inline constexpr const char* kRecordFile = "record";
inline constexpr const char* kTracesFile = "traces";
inline constexpr const char* kLockFile = "lock";
inline constexpr const char* kStartSocket = "start";
// Compiled seccomp filters, beside the containers; '@' is in no container's ID.
inline constexpr const char* kFilterCache = "@seccomp";
inline constexpr const char* kDefaultRoot = "/run/berth-runtime";

// Letters, digits and "_+-.", at most 1024, not "." or "..", as other runtimes have it. Code::usage.
Result<> check_id(const std::string& id);

class Root {
 public:
  // Made with its parents if need be.
  static Result<Root> open(const std::string& path);
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  // Sorted.
  [[nodiscard]] Result<std::vector<std::string>> ids() const;

 private:
  Root(std::string path, sys::UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::string path_;
  sys::UniqueFd fd_;
};

// A container's directory and the lock on it.
struct Directory {
  std::string id;
  sys::UniqueFd fd;
  sys::FileLock lock;
};

// Code::conflict if there is one of that ID.
Result<Directory> make_directory(const Root& root, const std::string& id);
// Waits for the lock. Code::not_found: "container "x" does not exist".
Result<Directory> open_directory(const Root& root, const std::string& id);
// The same for so long at most; then it comes without the lock. `meanwhile` is called again and again as long
// as somebody else has it, with the directory.
using Meanwhile = std::function<void(int directory)>;
Result<Directory> open_directory_within(const Root& root, const std::string& id,
                                        std::chrono::milliseconds patience, const Meanwhile& meanwhile);
// Without the lock, for looking.
Result<sys::UniqueFd> look_into(const Root& root, const std::string& id);
Result<> remove_directory(const Root& root, const Directory& directory);

}  // namespace berth::lifecycle
