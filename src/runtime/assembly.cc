#include "runtime/assembly.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "runtime/copy_up.h"
#include "runtime/devices.h"
#include "runtime/filesystem.h"
#include "sys/file.h"
#include "sys/mount_api.h"
#include "sys/mount_table.h"
#include "sys/process.h"

namespace berth::runtime {

namespace {

Result<bool> is_directory(int fd) {
  const struct stat st = TRY(sys::stat_at(fd, "", AT_EMPTY_PATH));
  return S_ISDIR(st.st_mode);
}

bool is_essential(const std::string& target) {
  return target == "/proc" || target == "/sys" || target == "/dev";
}

// The place for a mount: what is there, or a new directory or file to match the source.
Result<sys::UniqueFd> target_for(const safepath::Root& root, const std::string& target, bool directory) {
  return directory ? root.make_dirs(target) : root.make_file(target);
}

// The superblock is the host's own, so a container can't remount it, and device nodes in it work where
// allowed.
Result<sys::UniqueFd> make_tmpfs(MountPlan mount, const HostIds& owner) {
  mount.type = "tmpfs";
  // What comes later counts.
  mount.options.insert(mount.options.begin(),
                       {fmt::format("uid={}", owner.uid.value()), fmt::format("gid={}", owner.gid.value())});
  return make_filesystem(mount);
}

bool is_absent(const Result<sys::UniqueFd>& found) {
  return !found && (found.error().err == ENOENT || found.error().err == ENOTDIR);
}

bool has_nodev(const MountPlan& mount) {
  return ((mount.attributes.set | mount.below.set) & MOUNT_ATTR_NODEV) != 0;
}

class Assembler {
 public:
  Assembler(const ContainerPlan& plan, const safepath::Root& root, const HostIds& root_ids)
      : plan_(plan), root_(root), root_ids_(root_ids) {}

  // `namespaced`: the mounts that the container's process has made, in the plan's order.
  Result<> mount_all(std::vector<sys::UniqueFd> bind_sources, std::vector<sys::UniqueFd> namespaced) {
    size_t next = 0;
    for (size_t i = 0; i < plan_.mounts.size(); ++i) {
      const MountPlan& mount = plan_.mounts[i];
      if (mount.kind == MountKind::remount) {
        TRY_CONTEXT(remount(mount), "remount {}", mount.target);
        continue;
      }
      sys::UniqueFd source = std::move(bind_sources[i]);
      if (mount.kind == MountKind::filesystem)
        source = TRY_CONTEXT(make_own(mount), "mount {}", mount.target);
      if (mount.kind == MountKind::namespaced) source = std::move(namespaced.at(next++));
      TRY_CONTEXT(place(mount, source.get()), "mount {}", mount.target);
      // The devices go in before anything is mounted on top of /dev.
      if (mount.target == "/dev") TRY(fill_dev(mount, source.get()));
      if (is_essential(mount.target)) essential_.push_back({mount.target, std::move(source)});
    }
    // Without a mount on /dev they are made in the root file system's own.
    return dev_is_filled_ ? Result<>() : fill_dev({}, -1);
  }

  // A link in the image at or above /proc, /sys or /dev, or at the place of a volume, can lead one mount over
  // another. What is then at /proc is not what would be masked, and the uncovered proc below it lets a
  // container with CAP_SYS_ADMIN mount one without masks.
  Result<> check_essential_mounts() {
    for (const auto& [target, mount] : essential_) {
      const Result<sys::UniqueFd> found = root_.open(target, O_PATH);
      if (!found || TRY(sys::mount_id_of(found->get())) != TRY(sys::mount_id_of(mount.get()))) {
        return fail(Code::refused, "the image leads {} to another place, where something else is mounted",
                    target);
      }
    }
    return {};
  }

  Result<> hide_paths() {
    for (const std::string& path : plan_.masked_paths) {
      const Result<sys::UniqueFd> target = root_.open(path, O_PATH);
      if (is_absent(target)) continue;  // not on this kernel
      if (!target) return std::unexpected(target.error());
      const bool directory = TRY(is_directory(target->get()));
      TRY_CONTEXT(directory ? cover_directory(target->get()) : cover_file(target->get()), "mask {}", path);
    }
    for (const std::string& path : plan_.read_only_paths) {
      const Result<sys::UniqueFd> target = root_.open(path, O_PATH);
      if (is_absent(target)) continue;
      if (!target) return std::unexpected(target.error());
      const sys::UniqueFd copy = TRY(sys::clone_tree(target->get(), "", true));
      TRY(sys::set_attributes(copy.get(), MOUNT_ATTR_RDONLY, 0, true));
      TRY_CONTEXT(sys::attach(copy.get(), target->get(), ""), "make {} read-only", path);
    }
    return {};
  }

  Result<> place_console(int terminal) {
    const sys::UniqueFd source = TRY(sys::clone_tree(terminal, "", false));
    const sys::UniqueFd target = TRY(root_.make_file("/dev/console"));
    return sys::attach(source.get(), target.get(), "");
  }

 private:
  Result<sys::UniqueFd> make_own(const MountPlan& mount) {
    if (mount.type != "tmpfs") return make_filesystem(mount);
    sys::UniqueFd made = TRY(make_tmpfs(mount, root_ids_));
    if (mount.copy_up) TRY_CONTEXT(copy_up(root_, mount.target, made.get()), "copy what is there");
    return made;
  }

  Result<> place(const MountPlan& mount, int source) {
    const bool directory = TRY(is_directory(source));
    if (mount.kind == MountKind::bind) TRY(change_bind(mount, source));
    const sys::UniqueFd target = TRY(target_for(root_, mount.target, directory));
    if (TRY(is_directory(target.get())) != directory) {
      return fail("the source is {} and the target in the container is {}",
                  directory ? "a directory" : "a file", directory ? "not" : "a directory");
    }
    return sys::attach(source, target.get(), "");
  }

  Result<> remount(const MountPlan& mount) {
    const sys::UniqueFd target = TRY(root_.open(mount.target, O_PATH));
    struct statx found{};
    if (::statx(target.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &found) != 0)
      return fail_errno(errno, "look at it");
    // Before Linux 5.8 it does not say, and the change itself fails.
    const bool says = (found.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0;
    if (says && (found.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0) return fail("nothing is mounted there");
    if (mount.below != AttributeChange{})
      TRY(sys::set_attributes(target.get(), mount.below.set, mount.below.clear, true));
    return sys::set_attributes(target.get(), mount.attributes.set, mount.attributes.clear, false);
  }

  Result<> change_bind(const MountPlan& mount, int source) {
    if (mount.below != AttributeChange{})
      TRY(sys::set_attributes(source, mount.below.set, mount.below.clear, true));
    if (mount.attributes != AttributeChange{})
      TRY(sys::set_attributes(source, mount.attributes.set, mount.attributes.clear, false));
    if (mount.propagation.empty()) return sys::set_propagation(source, "", MS_PRIVATE, mount.recursive);
    for (Propagation change : mount.propagation) {
      // As the kernel makes it anyway when a namespace of other users is entered (mount_namespaces(7)).
      if (change.type == MS_SHARED && !plan_.uid_map.empty()) change.type = MS_SLAVE;
      TRY(sys::set_propagation(source, "", change.type, change.recursive));
    }
    return {};
  }

  // With NODEV no other device can be opened in /dev than the plan's, whoever makes one: each lies on a mount
  // of its own, and /dev has none. A directory of the host's that is mounted there has what it has.
  Result<> fill_dev(const MountPlan& mount, int dev) {
    dev_is_filled_ = true;
    const bool hosts_own = dev >= 0 && mount.kind == MountKind::bind;
    const bool only_these = dev >= 0 && !hosts_own && has_nodev(mount);
    if (only_these) TRY(sys::set_attributes(dev, 0, MOUNT_ATTR_NODEV, false));
    if (!hosts_own) TRY(make_devices(plan_.devices, root_, plan_));
    if (only_these) {
      for (const DevicePlan& device : plan_.devices) {
        const sys::UniqueFd node = TRY(root_.open(device.path, O_PATH | O_NOFOLLOW));
        const sys::UniqueFd clone = TRY(sys::clone_tree(node.get(), "", false));
        TRY_CONTEXT(sys::attach(clone.get(), node.get(), ""), "mount {}", device.path);
      }
      TRY(sys::set_attributes(dev, MOUNT_ATTR_NODEV, 0, false));
    }
    // Before a volume can be mounted there.
    Result<sys::UniqueFd> null = root_.open("/dev/null", O_PATH | O_NOFOLLOW);
    if (null) null_ = std::move(*null);
    return {};
  }

  // The node that has just been made for this container, not what the image may have put at /dev/null
  // (CVE-2025-31133), and not the host's, whose mode and owner a container of the host's IDs could change.
  Result<> cover_file(int target) {
    if (!null_) return fail("there is no /dev");
    const struct stat st = TRY(sys::stat_at(null_.get(), "", AT_EMPTY_PATH));
    if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3)) return fail("/dev/null is not the null device");
    const sys::UniqueFd cover = TRY(sys::clone_tree(null_.get(), "", false));
    TRY(sys::set_attributes(cover.get(), MOUNT_ATTR_RDONLY, 0, false));
    return sys::attach(cover.get(), target, "");
  }

  // Each time another mount of one file system. Before Linux 6.15 only what is attached can be copied, so the
  // first is used itself.
  Result<> cover_directory(int target) {
    if (empty_) {
      const sys::UniqueFd cover = TRY(sys::clone_tree(empty_.get(), "", false));
      return sys::attach(cover.get(), target, "");
    }
    constexpr uint64_t kQuiet = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    empty_ = TRY(make_tmpfs({.options = {"mode=0755", "size=4k"}, .attributes = {.set = kQuiet}}, root_ids_));
    return sys::attach(empty_.get(), target, "");
  }

  const ContainerPlan& plan_;
  const safepath::Root& root_;
  HostIds root_ids_;
  std::vector<std::pair<std::string, sys::UniqueFd>> essential_;
  bool dev_is_filled_ = false;
  sys::UniqueFd null_;   // the container's /dev/null
  sys::UniqueFd empty_;  // the first mount over a masked directory
};

}  // namespace

Result<> assemble(const ContainerPlan& plan, const safepath::Root& root, const HostIds& root_ids,
                  std::vector<sys::UniqueFd> bind_sources, std::vector<sys::UniqueFd> namespaced,
                  int console) {
  // What is made in the container's file systems belongs to its root.
  const sys::ScopedFsIds as_root = TRY(sys::ScopedFsIds::set(root_ids.uid, root_ids.gid));
  Assembler assembler(plan, root, root_ids);
  TRY(assembler.mount_all(std::move(bind_sources), std::move(namespaced)));
  TRY(assembler.check_essential_mounts());
  if (console >= 0) TRY_CONTEXT(assembler.place_console(console), "mount /dev/console");
  TRY(assembler.hide_paths());
  if (plan.process.working_directory != "/") {
    TRY_CONTEXT(root.make_dirs(plan.process.working_directory), "make the working directory {}",
                plan.process.working_directory);
  }
  return {};
}

}  // namespace berth::runtime
