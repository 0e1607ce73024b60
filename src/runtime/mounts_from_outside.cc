#include "runtime/mounts_from_outside.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/fields.h"
#include "base/log.h"
#include "runtime/credentials.h"
#include "runtime/protocol.h"
#include "sys/file.h"
#include "sys/namespaces.h"
#include "sys/pipe.h"
#include "sys/process.h"

namespace berth::runtime {

namespace {

// Those whose superblocks belong to what their maker is in, and not to who he is. Others that a user
// namespace can have would be the host's.
constexpr std::array<std::string_view, 6> kOfNamespaces{"proc",   "sysfs",  "mqueue",
                                                        "devpts", "cgroup", "cgroup2"};

// IDs among the options are the container's, and the process that mounts is the host's.
Result<std::string> outside_option(const std::string& option, const ContainerPlan& plan) {
  std::string_view value = option;
  const std::string_view key = take_until(value, '=');
  if (key != "uid" && key != "gid") return option;
  const auto id = whole_number<uint32_t>(value);
  if (!id) return fail(Code::refused, "{} is no ID", option);
  return fmt::format("{}={}", key, TRY(outside_id(key == "uid" ? plan.uid_map : plan.gid_map, *id)));
}

// The plan as that process carries it out.
Result<ContainerPlan> plan_outside(ContainerPlan plan, bool own_users) {
  if (!own_users) return plan;
  for (MountPlan& mount : plan.mounts) {
    if (mount.kind != MountKind::namespaced) continue;
    if (std::find(kOfNamespaces.begin(), kOfNamespaces.end(), mount.type) == kOfNamespaces.end())
      return fail("mount {}: a file system of the type {} in a user namespace needs Linux 5.12", mount.target,
                  mount.type);
    for (std::string& option : mount.options) option = TRY(outside_option(option, plan));
  }
  return plan;
}

// A devpts is who has made it, and not its namespace's.
Result<> give_devpts(const ContainerPlan& plan, const std::vector<sys::UniqueFd>& mounts) {
  auto made = mounts.begin();
  for (const MountPlan& mount : plan.mounts) {
    if (mount.kind != MountKind::namespaced) continue;
    const int fd = (made++)->get();
    if (mount.type != "devpts") continue;
    const uint32_t uid = TRY(outside_id(plan.uid_map, 0));
    const uint32_t gid = TRY(outside_id(plan.gid_map, 0));
    if (::fchownat(fd, "", uid, gid, AT_EMPTY_PATH) != 0 ||
        ::fchownat(fd, "ptmx", uid, gid, AT_SYMLINK_NOFOLLOW) != 0)
      return fail_errno(errno, "give {} to the container's root", mount.target);
  }
  return {};
}

// What is written to a sysctl and who opens the terminal is the container's root again.
Result<> make_and_send(const ContainerPlan& plan, int user_namespace, sys::Channel& channel) {
  const auto become_containers = [&](const std::vector<sys::UniqueFd>& mounts) -> Result<> {
    if (user_namespace < 0) return {};
    TRY(give_devpts(plan, mounts));
    if (::setns(user_namespace, CLONE_NEWUSER) != 0)
      return fail_errno(errno, "join the container's user namespace");
    return become_root(plan.process.keep_groups);
  };
  const ContainerPlan outside = TRY(plan_outside(plan, user_namespace >= 0));
  return send_mounts(TRY(make_mounts(outside, become_containers)), channel);
}

// All but those of users and of mounts. `cgroups`: one that was sent along, in the place of the process's
// own.
Result<std::vector<sys::JoinedNamespace>> namespaces_of(pid_t process, sys::UniqueFd cgroups) {
  const uint64_t wanted = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
                          (cgroups ? uint64_t{0} : uint64_t{CLONE_NEWCGROUP});
  std::vector<sys::JoinedNamespace> joined = TRY(sys::namespaces_apart(process, wanted));
  if (cgroups) joined.push_back({CLONE_NEWCGROUP, std::move(cgroups)});
  return joined;
}

}  // namespace

Result<> leave_mounts_to_maker(bool cgroups, sys::Channel& channel) {
  std::vector<int> fds;
  Result<sys::UniqueFd> made = sys::UniqueFd();
  if (cgroups) {
    TRY(sys::call_in_namespaces(CLONE_NEWCGROUP,
                                [&] { made = sys::open_at(AT_FDCWD, "/proc/self/ns/cgroup", O_RDONLY); }));
    fds.push_back(TRY(std::move(made)).release());
  }
  const sys::UniqueFd owner(fds.empty() ? -1 : fds.front());
  return channel.send(wire::encode(StepMessage{Step::mounts}), fds);
}

Result<NamespacedSet> make_mounts_outside(const ContainerPlan& plan, pid_t process, int user_namespace,
                                          sys::Channel& channel) {
  sys::Message ready = TRY(channel.receive(1));
  if (ready.data.empty()) return fail("the container's process ended while its namespaces were made");
  if (TRY(wire::decode<StepMessage>(ready.data)).step != Step::mounts)
    return fail("the container's process said something out of turn");
  const std::vector<sys::JoinedNamespace> joined =
      TRY(namespaces_of(process, ready.fds.empty() ? sys::UniqueFd() : std::move(ready.fds.front())));
  auto [ours, theirs] = TRY(sys::Channel::make_pair());
  sys::Pipe status = TRY(sys::make_pipe());
  const sys::Child child = TRY(sys::fork_into_joined(0, joined));
  if (child.pid == 0) {
    log::set_sink(nullptr);
    const Result<> made = make_and_send(plan, user_namespace, theirs);
    if (!made) [[maybe_unused]]
      const Result<> told = sys::write_all(status.write_end.get(), wire::encode(to_failure(made.error())));
    ::_exit(0);
  }
  theirs.close();
  status.write_end.reset();
  Result<NamespacedSet> set = receive_mounts(plan, ours);
  const std::string said = TRY(sys::read_all(status.read_end.get(), kLongestFailure));
  TRY(sys::wait_for(child.pidfd.get()));
  if (!said.empty()) return std::unexpected(to_error(TRY(wire::decode<Failure>(said))));
  return set;
}

}  // namespace berth::runtime
