// --passwd-entry and --group-entry: a line of passwd or group as a person wants it, with variables in it.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/identity/identity.h"

namespace berth::engine {

// A template is at most this long, and so is the line that comes of it.
inline constexpr size_t kLongestEntry = 4096;
// LOGIN_NAME_MAX of limits.h without the NUL.
inline constexpr size_t kLongestAccountName = 255;

struct GroupFields {
  std::string name;
  uint32_t gid = 0;
  std::string member;  // the name of the user it is for
};

// What can be said before any value is known: length, control characters, variables, the number of fields.
// Code::usage.
Result<> check_passwd_template(std::string_view text);
Result<> check_group_template(std::string_view text);

// The line, newline included, with $USERNAME, $UID, $GID, $NAME (the description) and $HOME of `fields`; with
// $GROUPNAME, $GID and $USERLIST. A value is put in as it is: a variable in it stays text. Read again the way
// a container's C library reads it, the line must be one entry, of the ID that it was made for; Code::refused
// otherwise.
Result<std::string> passwd_line_from(std::string_view text, const PasswdFields& fields);
Result<std::string> group_line_from(std::string_view text, const GroupFields& fields);

// Whether a name can stand in passwd and group: not empty, not too long, nothing in it that ends a field, a
// list or a line, and nothing in front that makes the line a comment or a reference to NIS.
Result<> check_account_name(std::string_view what, std::string_view name);

}  // namespace berth::engine
