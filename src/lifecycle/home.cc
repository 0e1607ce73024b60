#include "lifecycle/home.h"

#include <algorithm>
#include <optional>

#include "base/accounts.h"

namespace berth::lifecycle {

namespace {

std::string home_of(const safepath::Root& root, uint32_t uid) {
  std::string none = "/";
  const Result<std::string> passwd = root.read_file("etc/passwd", kMaxAccountFileBytes);
  if (!passwd) return none;
  const std::optional<PasswdEntry> entry = find_user(*passwd, uid);
  return entry && entry->home.starts_with('/') ? std::string(entry->home) : none;
}

}  // namespace

void add_home(std::vector<std::string>& environment, const safepath::Root& root, uint32_t uid) {
  const bool given = std::any_of(environment.begin(), environment.end(),
                                 [](const std::string& variable) { return variable.starts_with("HOME="); });
  if (!given) environment.push_back("HOME=" + home_of(root, uid));
}

}  // namespace berth::lifecycle
