// What of a container is on the host: enough to end it and take it away, for `delete --force`, when its
// record can't be read because it is damaged or another version's.
//
// A small file beside the record, in a form that stays: lines of a name and a value, of which a reader passes
// over those that it does not know.
//
//   berth-runtime container
//   cgroup-path /a/b                       where its cgroup is to be made (cgroup::CgroupsPath::text())
//   pid 1234 5678                          of its process, and field 22 of /proc/PID/stat
//   cgroup 17:memory:/a/b                  one for each directory (cgroup::record_text())
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "lifecycle/directory.h"
#include "lifecycle/record.h"

namespace berth::lifecycle {

Result<> write_traces(const Directory& directory, const Record& record);

// A record that has nothing but the traces: the PID, the start and the cgroup. Code::refused for what is none
// of this form.
Result<Record> read_traces(int directory);

// The two without a file.
std::string traces_text(const Record& record);
Result<Record> parse_traces(std::string_view text);

}  // namespace berth::lifecycle
