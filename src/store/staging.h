// Places for unfinished work below the store's tmp/, and locks that are there only while somebody holds them.
// Whoever dies leaves them unlocked, and the next one takes them away.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "store/store.h"
#include "sys/unique_fd.h"

namespace berth::store {

// An empty private directory; removed with all in it when the object goes. What is to stay is renamed out of
// it.
class Staging {
 public:
  static Result<Staging> create(const Store& store);
  Staging(Staging&& other) noexcept;
  Staging& operator=(Staging&& other) noexcept;
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging();

  [[nodiscard]] int fd() const { return dir_.get(); }

 private:
  Staging(sys::UniqueFd parent, std::string name, sys::UniqueFd dir)
      : parent_(std::move(parent)), name_(std::move(name)), dir_(std::move(dir)) {}
  void remove();
  sys::UniqueFd parent_;
  std::string name_;
  sys::UniqueFd dir_;  // its flock(2) says that the maker lives
};

// An exclusive lock with a name, between processes and between threads.
class KeyLock {
 public:
  // Waits for it. `key` is a file name of at most 200 bytes.
  static Result<KeyLock> acquire(const Store& store, const std::string& key);
  // Gives up, with "interrupted", as soon as `interrupted` says so: for work that somebody may not want to
  // wait for. It is asked every 20 ms while somebody else has the lock.
  static Result<KeyLock> acquire(const Store& store, const std::string& key,
                                 const std::function<bool()>& interrupted);
  KeyLock(KeyLock&&) noexcept = default;
  KeyLock& operator=(KeyLock&& other) noexcept;
  KeyLock(const KeyLock&) = delete;
  KeyLock& operator=(const KeyLock&) = delete;
  ~KeyLock() { release(); }
  void release();

 private:
  using Wait = std::function<Result<>(int file)>;
  static Result<KeyLock> acquire_by(const Store& store, const std::string& key, const Wait& wait);
  KeyLock(sys::UniqueFd parent, std::string name, sys::UniqueFd file)
      : parent_(std::move(parent)), name_(std::move(name)), file_(std::move(file)) {}
  sys::UniqueFd parent_;
  std::string name_;
  sys::UniqueFd file_;
};

// Removes the stagings and locks whose makers have died.
Result<> clean_staging(const Store& store);

}  // namespace berth::store
