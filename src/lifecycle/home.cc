#include "lifecycle/home.h"

#include <optional>

#include "base/accounts.h"

namespace berth::lifecycle {

std::string home_of(const safepath::Root& root, uint32_t uid) {
  std::string none = "/";
  const Result<std::string> passwd = root.read_file("etc/passwd", kMaxAccountFileBytes);
  if (!passwd) return none;
  const std::optional<PasswdEntry> entry = find_user(*passwd, uid);
  return entry && entry->home.starts_with('/') ? std::string(entry->home) : none;
}

}  // namespace berth::lifecycle
