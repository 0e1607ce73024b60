#include "runtime/bind_sources.h"

#include <algorithm>
#include <optional>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "runtime/mapped_binds.h"
#include "sys/file.h"
#include "sys/mount_api.h"
#include "sys/mount_namespace.h"
#include "sys/namespaces.h"
#include "sys/openat2.h"
#include "sys/process.h"

namespace berth::runtime {

namespace {

bool follows_the_host(const std::vector<Propagation>& propagation) {
  return std::any_of(propagation.begin(), propagation.end(), [](const Propagation& change) {
    return change.type == MS_SLAVE || change.type == MS_SHARED;
  });
}

struct Source {
  sys::UniqueFd path;  // O_PATH
  sys::UniqueFd clone;
};

// The private namespace is cut off from what is mounted on the host later, and so are copies made in it.
Result<Source> take_from_host(const std::string& path, bool recursive,
                              const std::vector<Propagation>& propagation, int host_mounts) {
  const bool follows = follows_the_host(propagation);
  std::optional<sys::ScopedMountNamespace> host;
  if (follows && !sys::mounts_need_a_place())
    host.emplace(TRY(sys::ScopedMountNamespace::enter(host_mounts)));
  Source source;
  source.path = TRY_CONTEXT(sys::open_at(AT_FDCWD, path, O_PATH), "mount {} from the host", path);
  source.clone = TRY(sys::clone_tree(source.path.get(), "", recursive));
  // What is copied here is a slave of the host's then.
  if (!follows && sys::mounts_need_a_place())
    TRY(sys::set_propagation(source.clone.get(), "", MS_PRIVATE, true));
  return source;
}

Result<sys::UniqueFd> mounts_of_process(const MountPlan& mount) {
  sys::UniqueFd space =
      TRY(sys::open_namespace(fmt::format("/proc/{}/ns/mnt", mount.of_process), CLONE_NEWNS));
  const Result<int64_t> start = sys::start_time(mount.of_process);
  if (!start || *start != mount.of_process_start)
    return fail(Code::conflict, "the container that it is of has ended");
  return space;
}

// Whoever is root there chooses what is at the path, but not by a link: that could lead to what is mounted
// over.
Result<sys::UniqueFd> take_from_process(const MountPlan& mount) {
  constexpr uint64_t kNoLinks = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  if (sys::mounts_need_a_place()) {
    Error error = fail(Code::refused,
                       "this kernel can't take a mount over from another container (it has no mount_setattr, "
                       "which is of Linux 5.12)")
                      .error();
    return std::unexpected(std::move(error).with_hint(
        fmt::format("A volume in both takes its place (-v NAME:{}); the rest of the IPC namespace is shared.",
                    mount.source)));
  }
  const sys::UniqueFd space = TRY(mounts_of_process(mount));
  const sys::ScopedMountNamespace there = TRY(sys::ScopedMountNamespace::enter(space.get()));
  const sys::UniqueFd source = TRY(sys::open_at2(AT_FDCWD, mount.source, O_PATH | O_DIRECTORY, 0, kNoLinks));
  return sys::clone_tree(source.get(), "", false);
}

Result<sys::UniqueFd> open_bind_source(const MountPlan& mount, BindMapper& mapper, int host_mounts) {
  if (mount.of_process != 0)
    return TRY_CONTEXT(take_from_process(mount), "share {} with another container", mount.source);
  Source source = TRY(take_from_host(mount.source, mount.recursive, mount.propagation, host_mounts));
  TRY_CONTEXT(mapper.map(mount, source.clone.get(), source.path.get()), "mount {} with mapped IDs",
              mount.source);
  return std::move(source.clone);
}

}  // namespace

Result<std::vector<sys::UniqueFd>> open_bind_sources(const ContainerPlan& plan, int user_namespace,
                                                     int host_mounts) {
  std::vector<sys::UniqueFd> sources;
  BindMapper mapper(user_namespace);
  for (const MountPlan& mount : plan.mounts) {
    sources.emplace_back();
    if (mount.kind == MountKind::bind) sources.back() = TRY(open_bind_source(mount, mapper, host_mounts));
  }
  return sources;
}

Result<sys::UniqueFd> clone_from_host(const std::string& path, const std::vector<Propagation>& propagation,
                                      int host_mounts) {
  Source source = TRY(take_from_host(path, true, propagation, host_mounts));
  return std::move(source.clone);
}

}  // namespace berth::runtime
