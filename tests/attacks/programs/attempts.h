// What an attack program tried, and how it ended. Every attempt is one line on the standard output: "held
// WHAT (errno)" or "BROKEN WHAT". The exit status is 1 if one succeeded, and 3 if nothing was tried.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace attack {

class Attempts {
 public:
  // The result of a system call, with errno: what it says must be a failure.
  void must_fail(long result, const std::string& what) { record(result < 0, what, std::strerror(errno)); }
  void must_hold(bool held, const std::string& what) { record(held, what, ""); }

  [[nodiscard]] int finish() const {
    if (tried_ == 0) return 3;
    return broken_ == 0 ? 0 : 1;
  }

 private:
  void record(bool held, const std::string& what, const char* how) {
    ++tried_;
    if (!held) ++broken_;
    std::printf(held ? "held %s (%s)\n" : "BROKEN %s\n", what.c_str(), how);
    std::fflush(stdout);
  }
  int tried_ = 0;
  int broken_ = 0;
};

}  // namespace attack
