#include "runtime/bind_sources.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "runtime/mapped_binds.h"
#include "sys/file.h"
#include "sys/mount_api.h"

namespace berth::runtime {

namespace {

// The host's mount namespace for as long as the object lives, and then again the one before.
class HostMountNamespace {
 public:
  static Result<HostMountNamespace> enter(int host) {
    sys::UniqueFd own = TRY(sys::open_at(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY));
    if (::setns(host, CLONE_NEWNS) != 0) return fail_errno(errno, "enter the host's mount namespace");
    return HostMountNamespace(std::move(own));
  }
  HostMountNamespace(HostMountNamespace&&) = default;
  HostMountNamespace& operator=(HostMountNamespace&&) = delete;
  HostMountNamespace(const HostMountNamespace&) = delete;
  HostMountNamespace& operator=(const HostMountNamespace&) = delete;
  ~HostMountNamespace() {
    // What is mounted from here on would be the host's.
    if (own_.valid() && ::setns(own_.get(), CLONE_NEWNS) != 0) ::abort();
  }

 private:
  explicit HostMountNamespace(sys::UniqueFd own) : own_(std::move(own)) {}
  sys::UniqueFd own_;
};

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
  std::optional<HostMountNamespace> host;
  if (follows_the_host(propagation)) host.emplace(TRY(HostMountNamespace::enter(host_mounts)));
  Source source;
  source.path = TRY_CONTEXT(sys::open_at(AT_FDCWD, path, O_PATH), "mount {} from the host", path);
  source.clone = TRY(sys::clone_tree(source.path.get(), "", recursive));
  return source;
}

Result<sys::UniqueFd> open_bind_source(const MountPlan& mount, BindMapper& mapper, int host_mounts) {
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
