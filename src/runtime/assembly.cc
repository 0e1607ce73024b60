#include "runtime/assembly.h"

#include <cerrno>
#include <cstdlib>
#include <optional>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "runtime/devices.h"
#include "runtime/mapped_binds.h"
#include "sys/file.h"
#include "sys/mount_api.h"
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

Result<uint64_t> mount_id(int fd) {
  struct statx found{};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &found) != 0) return fail_errno(errno, "look at a mount");
  return found.stx_mnt_id;
}

// The place for a mount: what is there, or a new directory or file to match the source.
Result<sys::UniqueFd> target_for(const safepath::Root& root, const std::string& target, bool directory) {
  return directory ? root.make_dirs(target) : root.make_file(target);
}

// "size=1m,mode=1777" → key and value pairs for the file system's context.
Result<> apply_options(sys::FilesystemContext& context, std::string_view options) {
  while (!options.empty()) {
    const std::string_view option = options.substr(0, options.find(','));
    options.remove_prefix(std::min(option.size() + 1, options.size()));
    const size_t equals = option.find('=');
    if (equals == std::string_view::npos) {
      TRY(context.set_flag(std::string(option)));
    } else {
      TRY(context.set(std::string(option.substr(0, equals)), std::string(option.substr(equals + 1))));
    }
  }
  return {};
}

// The superblock is the host's own, so a container can't remount it, and device nodes in it work where
// allowed.
Result<sys::UniqueFd> make_tmpfs(const std::string& options, const HostIds& owner, uint64_t attributes) {
  sys::FilesystemContext tmpfs = TRY(sys::FilesystemContext::open("tmpfs"));
  TRY(tmpfs.set("source", "tmpfs"));
  TRY(tmpfs.set("uid", fmt::format("{}", owner.uid.value())));
  TRY(tmpfs.set("gid", fmt::format("{}", owner.gid.value())));
  TRY(apply_options(tmpfs, options));
  TRY(tmpfs.create());
  return tmpfs.mount(static_cast<unsigned>(attributes));
}

class Assembler {
 public:
  Assembler(const ContainerPlan& plan, const safepath::Root& root, const HostIds& root_ids)
      : plan_(plan), root_(root), root_ids_(root_ids) {}

  Result<> mount_all(std::vector<sys::UniqueFd> bind_sources, NamespacedMounts namespaced) {
    for (size_t i = 0; i < plan_.mounts.size(); ++i) {
      const MountPlan& mount = plan_.mounts[i];
      sys::UniqueFd source =
          TRY_CONTEXT(source_of(mount, std::move(bind_sources[i]), namespaced), "mount {}", mount.target);
      TRY_CONTEXT(place(mount, source.get()), "mount {}", mount.target);
      // The devices go in before anything is mounted on top of /dev.
      if (mount.target == "/dev") TRY(fill_dev(source.get(), (mount.attributes & MOUNT_ATTR_NODEV) != 0));
      if (is_essential(mount.target)) essential_.push_back({mount.target, std::move(source)});
    }
    return {};
  }

  // A link in the image at or above /proc, /sys or /dev, or at the place of a volume, can lead one mount over
  // another. What is then at /proc is not what would be masked, and the uncovered proc below it lets a
  // container with CAP_SYS_ADMIN mount one without masks.
  Result<> check_essential_mounts() {
    for (const auto& [target, mount] : essential_) {
      const Result<sys::UniqueFd> found = root_.open(target, O_PATH);
      if (!found || TRY(mount_id(found->get())) != TRY(mount_id(mount.get()))) {
        return fail(Code::refused, "the image leads {} to another place, where something else is mounted",
                    target);
      }
    }
    return {};
  }

  Result<> hide_paths() {
    for (const std::string& path : plan_.masked_paths) {
      const Result<sys::UniqueFd> target = root_.open(path, O_PATH);
      if (!target) continue;  // not on this kernel
      const bool directory = TRY(is_directory(target->get()));
      TRY_CONTEXT(directory ? cover_directory(target->get()) : cover_file(target->get()), "mask {}", path);
    }
    for (const std::string& path : plan_.read_only_paths) {
      const Result<sys::UniqueFd> target = root_.open(path, O_PATH);
      if (!target) continue;
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
  Result<sys::UniqueFd> source_of(const MountPlan& mount, sys::UniqueFd bind_source,
                                  NamespacedMounts& namespaced) {
    switch (mount.kind) {
      case MountKind::bind:
        return bind_source;
      case MountKind::tmpfs:
        return make_tmpfs(mount.options, root_ids_, mount.attributes);
      case MountKind::proc:
        return std::move(namespaced.proc);
      case MountKind::sysfs:
        return std::move(namespaced.sysfs);
      case MountKind::mqueue:
        return std::move(namespaced.mqueue);
      case MountKind::devpts:
        return std::move(namespaced.devpts);
    }
    return fail("an unknown kind of mount");
  }

  Result<> place(const MountPlan& mount, int source) {
    const bool directory = TRY(is_directory(source));
    if (mount.kind == MountKind::bind) {
      if (mount.attributes != 0) TRY(sys::set_attributes(source, mount.attributes, 0, mount.recursive));
      uint64_t propagation = mount.propagation == 0 ? uint64_t{MS_PRIVATE} : mount.propagation;
      // As the kernel makes it anyway when a namespace of other users is entered (mount_namespaces(7)).
      if (propagation == MS_SHARED && !plan_.uid_map.empty()) propagation = MS_SLAVE;
      TRY(sys::set_propagation(source, "", propagation, mount.recursive));
    }
    const sys::UniqueFd target = TRY(target_for(root_, mount.target, directory));
    if (TRY(is_directory(target.get())) != directory) {
      return fail("the source is {} and the target in the container is {}",
                  directory ? "a directory" : "a file", directory ? "not" : "a directory");
    }
    return sys::attach(source, target.get(), "");
  }

  // With `only_these`, no other device can be opened in /dev, whoever makes one: each lies on a mount of its
  // own, and /dev has none.
  Result<> fill_dev(int dev, bool only_these) {
    if (only_these) TRY(sys::set_attributes(dev, 0, MOUNT_ATTR_NODEV, false));
    TRY(make_devices(plan_.devices, root_, plan_));
    if (only_these) {
      for (const DevicePlan& device : plan_.devices) {
        const sys::UniqueFd node = TRY(root_.open(device.path, O_PATH | O_NOFOLLOW));
        const sys::UniqueFd mount = TRY(sys::clone_tree(node.get(), "", false));
        TRY_CONTEXT(sys::attach(mount.get(), node.get(), ""), "mount {}", device.path);
      }
      TRY(sys::set_attributes(dev, MOUNT_ATTR_NODEV, 0, false));
    }
    // Before a volume can be mounted there.
    null_ = TRY(root_.open("/dev/null", O_PATH | O_NOFOLLOW));
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
    empty_ = TRY(make_tmpfs("mode=0755,size=4k", root_ids_,
                            MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
    return sys::attach(empty_.get(), target, "");
  }

  const ContainerPlan& plan_;
  const safepath::Root& root_;
  HostIds root_ids_;
  std::vector<std::pair<std::string, sys::UniqueFd>> essential_;
  sys::UniqueFd null_;   // the container's /dev/null
  sys::UniqueFd empty_;  // the first mount over a masked directory
};

}  // namespace

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

bool follows_the_host(const MountPlan& mount) {
  return mount.propagation == MS_SLAVE || mount.propagation == MS_SHARED;
}

Result<sys::UniqueFd> open_bind_source(const MountPlan& mount, BindMapper& mapper, int host_mounts) {
  // The private namespace is cut off from what is mounted on the host later, and so are copies made in it.
  std::optional<HostMountNamespace> host;
  if (follows_the_host(mount)) host.emplace(TRY(HostMountNamespace::enter(host_mounts)));
  const sys::UniqueFd path =
      TRY_CONTEXT(sys::open_at(AT_FDCWD, mount.source, O_PATH), "mount {} from the host", mount.source);
  sys::UniqueFd clone = TRY(sys::clone_tree(path.get(), "", mount.recursive));
  TRY_CONTEXT(mapper.map(mount, clone.get(), path.get()), "mount {} with mapped IDs", mount.source);
  return clone;
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

Result<> assemble(const ContainerPlan& plan, const safepath::Root& root, const HostIds& root_ids,
                  std::vector<sys::UniqueFd> bind_sources, NamespacedMounts namespaced, int console) {
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
  if (plan.rootfs.read_only) TRY(sys::set_attributes(root.fd(), MOUNT_ATTR_RDONLY, 0, false));
  return {};
}

}  // namespace berth::runtime
