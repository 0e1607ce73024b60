// A directory that is there for one test, and a store in it.
#pragma once

#include <filesystem>
#include <string>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/store.h"
#include "sys/file.h"

namespace berth::test {

class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "berth-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    if (!sys::remove_tree_at(AT_FDCWD, path_)) std::abort();
  }
  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] Result<store::Store> open_store() const {
    return store::Store::open({.root = path_ + "/root", .run_root = path_ + "/run"});
  }

 private:
  std::string path_;
};

}  // namespace berth::test
