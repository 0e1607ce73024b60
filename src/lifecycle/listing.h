// What `list` and `ps` show.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/error.h"
#include "bundle/state.h"
#include "lifecycle/directory.h"

namespace berth::lifecycle {

struct Listed {
  bundle::State state;
  std::string rootfs;      // absolute
  int64_t created_at = 0;  // nanoseconds since 1970
  std::string owner;       // the user who made it, by the host's passwd, or "#1000"
};

// Every container below the root, by its ID. One that is being made or removed meanwhile is left out; so is
// one whose record is damaged, with a warning.
Result<std::vector<Listed>> list_containers(const Root& root);

// An array as runc writes it, in one line. Code::refused where a text is not UTF-8.
Result<std::string> listing_json(const std::vector<Listed>& containers);

// RFC 3339 with all digits that are not zero: "2026-01-02T03:04:05.678Z".
std::string time_text(int64_t nanoseconds);

// The processes of a container as the caller sees them, sorted; none of one that has ended.
Result<std::vector<pid_t>> processes_of(const Root& root, const std::string& id);

}  // namespace berth::lifecycle
