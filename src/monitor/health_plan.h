// How often a container's health is to be checked, and how.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace berth::monitor {

struct HealthPlan {
  int64_t interval = 0;  // nanoseconds, from the end of one check to the next; 0: there are no checks
  int64_t patience = 0;  // nanoseconds after which a check that has not ended is killed
  std::vector<std::string> words;  // the command; without a program's path
  template <typename A>
  void fields(A& a) {
    a(interval, patience, words);
  }
};

}  // namespace berth::monitor
