// A user spec, a passwd and a group file, a template for a line of each and a home directory, separated by
// 0x01: whatever they are, the result obeys the rules.
#include "base/accounts.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/identity/identity.h"
#include "engine/identity/identity_template.h"
#include "engine/identity/users.h"

using namespace berth;
using namespace berth::engine;

namespace {

std::string_view take(std::string_view& input) {
  const size_t end = input.find('\x01');
  const std::string_view part = input.substr(0, end);
  input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
  return part;
}

void require(bool holds) {
  if (!holds) std::abort();
}

// A line that was asked for is one entry, of the ID that it is for.
void check_templates(std::string_view passwd_template, std::string_view group_template,
                     std::string_view home) {
  const auto user =
      passwd_line_from(passwd_template, {"10000", 10000, 7, "a user", std::string(home), "/bin/sh"});
  if (user) {
    require(user->find('\n') == user->size() - 1 && user->size() <= kLongestEntry + 1);
    PasswdReader reader(*user);
    const auto entry = reader.next();
    require(entry && entry->uid == 10000 && entry->home.starts_with('/') && !reader.next());
  }
  const auto group = group_line_from(group_template, {"7", 7, std::string(home)});
  if (group) {
    require(group->find('\n') == group->size() - 1);
    GroupReader reader(*group);
    const auto entry = reader.next();
    require(entry && entry->gid == 7 && !reader.next());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view spec = take(input);
  const std::string_view passwd = take(input);
  const std::string_view group = take(input);
  const std::string_view passwd_template = take(input);
  const std::string_view group_template = take(input);
  check_templates(passwd_template, group_template, take(input));
  static const auto map = idmap::IdMap::from_extents({{0, 1048576, 65536}}).value();
  const auto user = resolve_user({spec, "--user", {}}, {passwd, group}, map, map);
  if (!user) return 0;
  require(user->uid.value() < 65536 && user->gid.value() < 65536);
  require(!user->groups.empty() && user->groups[0] == user->gid);
  // UID 0 comes from no user, from a number that is 0, or from an entry that says 0.
  const std::string_view name = spec.substr(0, spec.find(':'));
  if (user->uid.value() == 0 && !name.empty() && is_number(name)) {
    require(name.find_first_not_of('0') == std::string_view::npos);
  }
  // What is added makes the user known, and is taken out without a trace.
  std::vector<std::string> lines;
  for (PasswdFields& fields : missing_entries({passwd, group}, *user).users) {
    fields.home = "/tmp";
    lines.push_back(passwd_line(fields).value());
  }
  const std::string extended = with_lines(passwd, lines);
  require(find_user(extended, user->uid.value()).has_value());
  require(without_lines(extended, lines, passwd) == passwd);
  return 0;
}
