#include <fcntl.h>

#include "cgroup/cgroup.h"
#include "cgroup/control_file.h"
#include "sys/file.h"

namespace berth::cgroup {

namespace {

constexpr size_t kLargest = size_t{64} << 20;

// The directory of `there`, a process's place, as part of a cgroup; nothing where this process is there too,
// or where what is mounted does not show it.
Result<std::optional<Cgroup::Part>> part_of(const Hierarchies& here, const Hierarchy& there) {
  const Hierarchy* own = here.find(there.key);
  if (own == nullptr || !there.own || own->own == there.own) return std::nullopt;
  Cgroup::Part part{*own, *there.own, {}, 0};
  part.fd = TRY_CONTEXT(open_path_below(own->root->get(), there.own->substr(1)), "open the cgroup {}",
                        printable(part.shown()));
  part.id = TRY(sys::stat_at(part.fd.get(), "", AT_EMPTY_PATH)).st_ino;
  return part;
}

}  // namespace

Result<std::optional<Cgroup>> Cgroup::of_process(pid_t pid) {
  const std::string text = TRY(sys::read_file_at(AT_FDCWD, fmt::format("/proc/{}/cgroup", pid), kLargest));
  // Without a look at what is mounted.
  if (text == TRY(sys::read_file_at(AT_FDCWD, "/proc/self/cgroup", kLargest))) return std::nullopt;
  const Hierarchies here = TRY(hierarchies_of_this_process());
  const Hierarchies there = TRY(hierarchies_of(text));
  std::vector<Part> parts;
  for (const Hierarchy& hierarchy : there.all) {
    std::optional<Part> part = TRY(part_of(here, hierarchy));
    if (part) parts.push_back(std::move(*part));
  }
  if (parts.empty()) return std::nullopt;
  return Cgroup(std::move(parts));
}

}  // namespace berth::cgroup
