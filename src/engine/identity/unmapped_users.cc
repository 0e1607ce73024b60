#include "engine/identity/unmapped_users.h"

#include <fmt/format.h>

#include "base/accounts.h"

namespace berth::engine {

std::optional<std::string> unmapped_users_warning(std::string_view passwd, const idmap::IdMap& uids) {
  constexpr size_t kShown = 3;
  constexpr size_t kLongestName = 32;
  // An extent that begins at 0 has nearly all users of nearly all images, and is all of an ordinary map.
  const idmap::Extent& first = uids.extents().front();
  const uint32_t usual = first.inside == 0 ? first.count : 0;
  size_t count = 0;
  std::string names;
  PasswdReader reader(passwd);
  while (const auto entry = reader.next()) {
    if (entry->uid < usual || uids.to_host(ContainerUid(entry->uid))) continue;
    if (++count > kShown) continue;
    names +=
        fmt::format("{}{} ({})", names.empty() ? "" : ", ", entry->name.substr(0, kLongestName), entry->uid);
  }
  if (count == 0) return std::nullopt;
  if (count > kShown) names += fmt::format(" and {} more", count - kShown);
  return fmt::format(
      "{} in /etc/passwd {} outside the container's map of user IDs ({}): {}. Nobody in it can "
      "become {}.",
      count == 1 ? "A user" : fmt::format("{} users", count), count == 1 ? "is" : "are", uids.describe(),
      names, count == 1 ? "that user" : "one of them");
}

}  // namespace berth::engine
