#include "cli/remove_each.h"

#include <algorithm>
#include <cstdio>

namespace berth::cli {

namespace {

int status_for(Code code) {
  constexpr int kNotThere = 1;
  constexpr int kInUse = 2;
  constexpr int kFailed = 125;
  return code == Code::not_found ? kNotThere : code == Code::conflict ? kInUse : kFailed;
}

}  // namespace

int remove_each(const std::vector<std::string>& names,
                const std::function<Result<bool>(const std::string&)>& remove) {
  int status = 0;
  for (const std::string& name : names) {
    const Result<bool> removed = remove(name);
    if (!removed) {
      std::fflush(stdout);
      fmt::print(stderr, "{}", render("berth", removed.error()));
      status = std::max(status, status_for(removed.error().code));
    } else if (*removed) {
      fmt::print("{}\n", name);
    }
  }
  return status;
}

}  // namespace berth::cli
