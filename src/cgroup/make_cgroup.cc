#include "cgroup/make_cgroup.h"

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup/control_file.h"
#include "sys/file.h"

namespace berth::cgroup {

namespace {

constexpr int kNotDelegatedErrors[] = {EACCES, EPERM, EROFS};

bool not_delegated(int err) {
  return std::find(std::begin(kNotDelegatedErrors), std::end(kNotDelegatedErrors), err) !=
         std::end(kNotDelegatedErrors);
}

// Why a v2 controller could not be enabled, in words (cgroup-v2.rst, "Enabling and Disabling").
Error enabling_failed(const Error& cause, const std::string& controller, const std::string& shown) {
  Error error = cause;
  error.message = fmt::format("enable the cgroup controller {} in {}/cgroup.subtree_control: {}", controller,
                              shown, describe_errno(cause.err));
  if (cause.err == EBUSY) {
    error.hint = fmt::format(
        "Processes are in {} itself, and a cgroup v2 that holds processes can't give controllers to those "
        "below it: "
        "move them into a cgroup below, or choose another cgroup path.",
        shown);
  } else if (cause.err == EOPNOTSUPP) {
    error.hint = fmt::format("{} is a threaded cgroup, and {} is not for threads.", shown, controller);
  } else if (not_delegated(cause.err)) {
    error.hint = fmt::format(
        "{} belongs to somebody else: it has to be delegated, as systemd's Delegate=yes does.", shown);
  }
  return error;
}

std::string added(const std::vector<std::string>& controllers) {
  return fmt::format("+{}", fmt::join(controllers, " +"));
}

// What of the controllers that are asked for can still be enabled for the children of `dir`.
Result<std::vector<std::string>> to_enable(int dir, const CreateOptions& options, const std::string& shown) {
  const std::vector<std::string> there = TRY(read_words(dir, "cgroup.controllers"));
  for (const std::string& one : options.required) {
    if (contains(there, one)) continue;
    Error error{Code::failed, 0, fmt::format("the cgroup controller {} is not there in {}", one, shown), {}};
    return std::unexpected(std::move(error).with_hint(fmt::format(
        "It has to be listed in {}/cgroup.controllers: enable it in cgroup.subtree_control of the cgroup "
        "above. At the top, the kernel has none of this name, or cgroup v1 holds it.",
        shown)));
  }
  std::vector<std::string> missing;
  for (const auto* list : {&options.required, &options.wanted}) {
    for (const std::string& one : *list) {
      if (contains(there, one) && !contains(missing, one)) missing.push_back(one);
    }
  }
  if (missing.empty()) return missing;
  const std::vector<std::string> enabled = TRY(read_words(dir, "cgroup.subtree_control"));
  std::erase_if(missing, [&enabled](const std::string& one) { return contains(enabled, one); });
  return missing;
}

Result<> enable_controllers(int dir, const CreateOptions& options, const std::string& shown) {
  const std::vector<std::string> missing = TRY(to_enable(dir, options, shown));
  if (missing.empty() || sys::write_control_file(dir, "cgroup.subtree_control", added(missing))) return {};
  // The kernel takes all or none; one by one, those that can be are, and the culprit is known.
  for (const std::string& one : missing) {
    const Result<> enabled = sys::write_control_file(dir, "cgroup.subtree_control", "+" + one);
    if (!enabled && contains(options.required, one)) {
      return std::unexpected(enabling_failed(enabled.error(), one, shown));
    }
  }
  return {};
}

Result<bool> is_filled(int dir, const char* file) {
  return TRY(read_control(dir, file)).find_first_not_of(" \n") != std::string::npos;
}

// A new cpuset of v1 is empty, and takes no process before it has processors and memory nodes (cpusets.rst).
Result<> fill_cpuset(int parent, int child) {
  for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {
    if (TRY(is_filled(child, file))) continue;
    const std::string theirs = TRY(read_control(parent, file));
    TRY(sys::write_control_file(child, file, theirs));
  }
  return {};
}

// The names from the mount point to the cgroup.
Result<std::vector<std::string>> full_path(const Hierarchy& hierarchy, const CgroupsPath& path,
                                           bool unified) {
  if (path.absolute) return path.parts;
  if (!hierarchy.own) {
    Error error{Code::failed,
                0,
                fmt::format("the cgroup of this process is not below {}, where the cgroup {} should be made",
                            hierarchy.place, printable(path.text())),
                {}};
    return std::unexpected(std::move(error).with_hint("Give an absolute cgroup path."));
  }
  std::vector<std::string> parts;
  if (*hierarchy.own != "/") {
    CgroupsPath own = TRY(parse_cgroups_path(*hierarchy.own));
    parts = std::move(own.parts);
    // This process is in its own one, which therefore can't give controllers to a child.
    if (unified) parts.pop_back();
  }
  parts.insert(parts.end(), path.parts.begin(), path.parts.end());
  return parts;
}

Result<> demand_unused(int dir, const std::string& shown) {
  std::vector<pid_t> inside;
  TRY(read_processes(dir, inside));
  if (inside.empty() && !TRY(has_children(dir))) return {};
  Error error{Code::conflict,
              EBUSY,
              inside.empty() ? fmt::format("the cgroup {} is there already and has cgroups below it", shown)
                             : fmt::format("the cgroup {} is there already and holds processes ({}{})", shown,
                                           inside.front(), inside.size() > 1 ? ", …" : ""),
              {}};
  return std::unexpected(
      std::move(error).with_hint("Choose another cgroup path, or end what runs in this one."));
}

struct Step {
  const Hierarchy& hierarchy;
  const CreateOptions& options;
  MadeDirectories& made;
};

// False: it is there already.
Result<bool> make_directory(int dir, const std::string& name, const std::string& shown) {
  if (::mkdirat(dir, name.c_str(), 0755) == 0) return true;
  const int err = errno;
  if (err == EEXIST) return false;
  auto failed = fail_errno(err, "make the cgroup {}/{}", shown, name);
  if (not_delegated(err)) {
    failed.error().hint = fmt::format("{} can't be written by this user: it has to be delegated.", shown);
  } else if (err == EAGAIN) {
    failed.error().hint = "cgroup.max.depth or cgroup.max.descendants of a cgroup above allows no more.";
  }
  return failed;
}

// One name further down, made if it is missing. ENOENT: somebody removed `dir` meanwhile.
Result<sys::UniqueFd> step_down(const Step& step, sys::UniqueFd dir, const std::string& name,
                                const std::string& shown, bool last) {
  int parent = dir.get();
  if (step.hierarchy.v2()) TRY(enable_controllers(parent, step.options, shown));
  if (TRY(make_directory(parent, name, shown))) {
    parent = step.made.add(std::move(dir), name);
    last = false;
  }
  sys::UniqueFd below = TRY(open_below(parent, name));
  const std::string there = shown + "/" + name;
  if (step.hierarchy.has("cpuset"))
    TRY_CONTEXT(fill_cpuset(parent, below.get()), "fill the cpuset {}", there);
  if (last && !step.options.adopted) TRY(demand_unused(below.get(), there));
  return below;
}

// The directory above the last name at once, where it is there and needs nothing done to it or on the way.
std::optional<sys::UniqueFd> ready_parent(const Hierarchy& hierarchy, const std::string& path) {
  if (hierarchy.v2() || path.empty()) return std::nullopt;
  Result<sys::UniqueFd> parent = open_path_below(hierarchy.root->get(), path);
  if (!parent) return std::nullopt;
  const bool filled = !hierarchy.has("cpuset") || (is_filled(parent->get(), "cpuset.cpus").value_or(false) &&
                                                   is_filled(parent->get(), "cpuset.mems").value_or(false));
  return filled ? std::optional(std::move(*parent)) : std::nullopt;
}

Result<Cgroup::Part> walk_down(const Step& step, const std::vector<std::string>& names) {
  Cgroup::Part part{step.hierarchy, "", {}, 0};
  const size_t last = names.size() - 1;
  const std::string above = fmt::format("{}", fmt::join(std::span(names).first(last), "/"));
  std::optional<sys::UniqueFd> parent = ready_parent(step.hierarchy, above);
  size_t i = 0;
  if (parent) {
    part.fd = std::move(*parent);
    part.path = "/" + above;
    i = last;
  } else {
    part.fd = TRY(sys::open_at(step.hierarchy.root->get(), ".", O_PATH | O_DIRECTORY));
  }
  for (; i < names.size(); ++i) {
    part.fd = TRY(step_down(step, std::move(part.fd), names[i], part.shown(), i == last));
    part.path += "/" + names[i];
  }
  const struct stat found = TRY(sys::stat_at(part.fd.get(), "", AT_EMPTY_PATH));
  part.id = found.st_ino;
  return part;
}

}  // namespace

int MadeDirectories::add(sys::UniqueFd parent, std::string name) {
  made_.push_back({std::move(parent), std::move(name)});
  return made_.back().parent.get();
}

MadeDirectories::~MadeDirectories() {
  for (auto one = made_.rbegin(); one != made_.rend(); ++one) {
    if (one->parent) ::unlinkat(one->parent.get(), one->name.c_str(), AT_REMOVEDIR);
  }
}

Result<Cgroup::Part> make_part(const Hierarchy& hierarchy, const CgroupsPath& path, bool unified,
                               const CreateOptions& options, MadeDirectories& made) {
  // Somebody may remove an empty parent between two steps.
  constexpr int kAttempts = 16;
  const std::vector<std::string> names = TRY(full_path(hierarchy, path, unified));
  const Step step{hierarchy, options, made};
  for (int attempt = 0;; ++attempt) {
    Result<Cgroup::Part> part = walk_down(step, names);
    const bool raced = !part && (part.error().err == ENOENT || part.error().err == ENODEV);
    if (!raced || attempt == kAttempts) return part;
  }
}

Result<sys::UniqueFd> claim(const Cgroup::Part& part) {
  sys::UniqueFd lock = TRY(sys::open_at(part.fd.get(), ".", O_RDONLY | O_DIRECTORY));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail_errno(errno, "lock the cgroup {}", part.shown());
    return fail(Code::conflict, "the cgroup {} is being taken by another container", part.shown());
  }
  TRY(demand_unused(part.fd.get(), part.shown()));
  return lock;
}

Result<std::optional<Cgroup::Part>> find_unused_part(const Hierarchy& hierarchy, const CgroupsPath& path,
                                                     bool unified) {
  const Result<std::vector<std::string>> names = full_path(hierarchy, path, unified);
  if (!names) return std::nullopt;  // then none can have been made
  const std::string path_below = fmt::format("{}", fmt::join(*names, "/"));
  Result<sys::UniqueFd> directory = open_path_below(hierarchy.root->get(), path_below);
  if (!directory && directory.error().err == ENOENT) return std::nullopt;
  Cgroup::Part part{hierarchy, "/" + path_below, TRY(std::move(directory)), 0};
  TRY(demand_unused(part.fd.get(), part.shown()));
  const struct stat found = TRY(sys::stat_at(part.fd.get(), "", AT_EMPTY_PATH));
  part.id = found.st_ino;
  return std::optional<Cgroup::Part>(std::move(part));
}

}  // namespace berth::cgroup
