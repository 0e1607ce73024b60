// The part of the audit that looks at the store's own directories: whether a user of the host could enter
// one.
#pragma once

#include <vector>

#include "base/error.h"
#include "engine/audit/finding.h"
#include "store/store.h"

namespace berth::engine {

// The store's root, the run root, and every directory in them that berth makes for itself (mode 0700,
// root's). What lies deeper, images' own directories, has the modes that images give it, and is within reach
// of those who can enter one of these. Access lists need no look of their own: what they grant shows in the
// group's bits.
Result<std::vector<Finding>> audit_directories(const store::Store& store);

}  // namespace berth::engine
