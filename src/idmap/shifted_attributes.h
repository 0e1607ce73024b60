// Extended attributes that have IDs in them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "idmap/id_shift.h"

namespace berth::idmap {

// The value that the attribute has where IDs are shifted. Most have no IDs and stay the same:
//
//   security.capability        counts in the user namespaces whose root has the ID in it (capabilities(7),
//                              "Namespaced file capabilities"); without one it is root's, 0. That is
//                              VFS_CAP_REVISION_2; with another ID it is VFS_CAP_REVISION_3.
//   system.posix_acl_access    the named users and groups (acl(5), as the kernel's posix_acl_xattr.h has it)
//   system.posix_acl_default
//
// Code::refused for a value that is no such thing.
Result<std::string> shifted_attribute(std::string_view name, std::string_view value, const Shift& shift);

}  // namespace berth::idmap
