#include "cli/confirm.h"

#include <cstdio>
#include <iostream>
#include <string>

#include "base/error.h"

namespace berth::cli {

bool confirmed(std::string_view consequence) {
  fmt::print(stderr, "{}\nGo on? [y/N] ", consequence);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace berth::cli
