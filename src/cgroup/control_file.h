// Control files of one cgroup's directory, and the cgroups below it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::cgroup {

// A control file's text. The kernel makes them up; 16 MiB hold any list of processes that a host can have.
Result<std::string> read_control(int dir, const std::string& file);

// The words of a control file: cgroup.controllers, cgroup.subtree_control.
Result<std::vector<std::string>> read_words(int dir, const std::string& file);

bool contains(const std::vector<std::string>& words, std::string_view word);

// The value of a line "NAME VALUE", as in cgroup.events; empty if there is none.
std::string_view flat_value(std::string_view text, std::string_view name);

// Whether there are cgroups directly below `dir`.
Result<bool> has_children(int dir);

// Opens the cgroup `name` below `dir`, O_PATH, not through a link.
Result<sys::UniqueFd> open_below(int dir, const std::string& name);

// Opens the cgroup "a/b" below `dir`, O_PATH: through no link, and not into what was mounted over a part of
// the way, so that it is of the same hierarchy as `dir`.
Result<sys::UniqueFd> open_path_below(int dir, const std::string& path);

// Calls `visit` for every cgroup below `dir` and then for `dir` itself: leaves first. Each gets its parent
// and its name (`dir` itself: "."). What goes away meanwhile is passed over. Stops at the first error.
using Visit = std::function<Result<>(int parent, const std::string& name)>;
Result<> for_each_cgroup(int dir, const Visit& visit);

// Numbers of processes in cgroup.procs of the directory, added to `found`.
Result<> read_processes(int dir, std::vector<pid_t>& found);

}  // namespace berth::cgroup
