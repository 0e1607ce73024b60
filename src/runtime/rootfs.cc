#include "runtime/rootfs.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/log.h"
#include "runtime/bind_sources.h"
#include "sys/file.h"
#include "sys/mount_api.h"
#include "sys/process.h"

namespace berth::runtime {

namespace {

// The superblock is the host's own, so the device nodes of a layer would be the host's devices. A container
// has devices in /dev, which is a tmpfs, and nowhere else.
constexpr unsigned kAttributes = MOUNT_ATTR_NODEV;

struct Layers {
  std::vector<sys::UniqueFd> lower;  // lowest first
  sys::UniqueFd upper;               // upper and work lie on one mount, as overlayfs asks
  sys::UniqueFd work;
  sys::UniqueFd own;  // the mount that holds both; none for what is only read
};

Result<sys::UniqueFd> mapped_clone(const std::string& path, int user_namespace) {
  sys::UniqueFd mount = TRY(sys::clone_tree(AT_FDCWD, path, false));
  if (user_namespace < 0) return mount;
  TRY_CONTEXT(sys::set_id_mapping(mount.get(), user_namespace, false), "{}", path);
  return mount;
}

std::string parent_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}
std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

Result<Layers> map_layers(const RootfsPlan& plan, int user_namespace) {
  Layers layers;
  for (const std::string& path : plan.layers) layers.lower.push_back(TRY(mapped_clone(path, user_namespace)));
  if (plan.upper.empty()) return layers;
  layers.own = TRY(mapped_clone(parent_of(plan.upper), user_namespace));
  layers.upper = TRY(sys::open_at(layers.own.get(), name_of(plan.upper), O_PATH | O_DIRECTORY | O_NOFOLLOW));
  layers.work = TRY(sys::open_at(layers.own.get(), name_of(plan.work), O_PATH | O_DIRECTORY | O_NOFOLLOW));
  return layers;
}

// metacopy: a chown or chmod inside copies the inode only, not the content. It needs trusted xattrs, which
// the container can't write.
Result<> set_features(sys::FilesystemContext& overlay, bool transient) {
  if (transient) TRY(overlay.set_flag("volatile"));
  TRY(overlay.set("metacopy", "on"));
  TRY(overlay.set("index", "off"));
  return overlay.set("xino", "off");
}

Result<sys::UniqueFd> overlay_by_descriptor(const Layers& layers, bool transient) {
  sys::FilesystemContext overlay = TRY(sys::FilesystemContext::open("overlay"));
  TRY(overlay.set("source", "overlay"));
  // The first lowerdir+ is the uppermost.
  for (auto layer = layers.lower.rbegin(); layer != layers.lower.rend(); ++layer) {
    TRY(overlay.set_fd("lowerdir+", layer->get()));
  }
  if (layers.own) {
    TRY(overlay.set_fd("upperdir", layers.upper.get()));
    TRY(overlay.set_fd("workdir", layers.work.get()));
  }
  TRY(set_features(overlay, transient));
  TRY(overlay.create());
  return overlay.mount(kAttributes);
}

// mount(2)'s options are one page; names on the scratch tmpfs are as short as can be.
Result<sys::UniqueFd> overlay_by_path(const Layers& layers, bool transient, const std::string& scratch) {
  if (::mount("berth", scratch.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") != 0) {
    return fail_errno(errno, "mount a tmpfs on {}", scratch);
  }
  const sys::UniqueFd dir = TRY(sys::open_at(AT_FDCWD, scratch, O_RDONLY | O_DIRECTORY));
  const auto place = [&](const sys::UniqueFd& mount, const std::string& name) -> Result<> {
    TRY(sys::ensure_dir_at(dir.get(), name, 0755));
    return sys::attach(mount.get(), dir.get(), name);
  };
  std::string lower;
  for (size_t i = layers.lower.size(); i-- > 0;) {
    TRY(place(layers.lower[i], fmt::format("{}", i)));
    lower += fmt::format("{}{}", lower.empty() ? "" : ":", i);
  }
  if (layers.own) TRY(place(layers.own, "c"));
  TRY(sys::ensure_dir_at(dir.get(), "m", 0755));
  if (::fchdir(dir.get()) != 0) return fail_errno(errno, "enter {}", scratch);
  const std::string options =
      fmt::format("lowerdir={}{},metacopy=on,index=off,xino=off{}", lower,
                  layers.own ? ",upperdir=c/upper,workdir=c/work" : "", transient ? ",volatile" : "");
  if (::mount("overlay", "m", "overlay", MS_NODEV, options.c_str()) != 0)
    return fail_errno(errno, "mount overlay by path");
  sys::UniqueFd merged = TRY(sys::clone_tree(dir.get(), "m", false));
  if (::chdir("/") != 0 || ::umount2(scratch.c_str(), MNT_DETACH) != 0)
    return fail_errno(errno, "leave {}", scratch);
  return merged;
}

Result<sys::UniqueFd> stack(const Layers& layers, bool transient, const std::string& scratch) {
  Result<sys::UniqueFd> by_descriptor = overlay_by_descriptor(layers, transient);
  const int err = by_descriptor ? 0 : by_descriptor.error().err;
  // EOPNOTSUPP: before Linux 6.5 overlayfs takes its options as mount(2)'s text, and no descriptors at all.
  if (err != EINVAL && err != EBADF && err != EOPNOTSUPP) return by_descriptor;
  log::debug("overlayfs does not take layers by descriptor here ({}); using paths",
             by_descriptor.error().message);
  Result<sys::UniqueFd> by_path = overlay_by_path(layers, transient, scratch);
  if (by_path) return by_path;
  // Kernels that have the first way say more with it.
  return std::unexpected(
      std::move(by_path).error().context(fmt::format("{}; by path", by_descriptor.error().message)));
}

}  // namespace

namespace {

// As it is, whoever's the IDs on its files are.
Result<sys::UniqueFd> clone_directory(const RootfsRequest& request) {
  const std::string& path = request.plan.directory;
  sys::UniqueFd clone = TRY(clone_from_host(path, request.plan.propagation, request.host_mounts));
  const struct stat st = TRY(sys::stat_at(clone.get(), "", AT_EMPTY_PATH));
  if (!S_ISDIR(st.st_mode)) return fail_errno(ENOTDIR, "use {} as the root file system", path);
  // What is shared can't be pivoted into (pivot_root(2)). A slave still receives, and can be shared again.
  if (!request.plan.propagation.empty()) TRY(sys::set_propagation(clone.get(), "", MS_SLAVE, true));
  return clone;
}

}  // namespace

Result<sys::UniqueFd> mount_rootfs(const RootfsRequest& request, std::vector<sys::UniqueFd>& sources) {
  const RootfsPlan& plan = request.plan;
  if (!plan.directory.empty()) return clone_directory(request);
  Layers layers = TRY(map_layers(plan, plan.translated ? -1 : request.user_namespace));
  const sys::ScopedFsIds as_root = TRY(sys::ScopedFsIds::set(request.root_ids.uid, request.root_ids.gid));
  Result<sys::UniqueFd> merged = stack(layers, plan.transient, request.scratch);
  sources = std::move(layers.lower);
  for (sys::UniqueFd* fd : {&layers.upper, &layers.work, &layers.own}) sources.push_back(std::move(*fd));
  return merged;
}

}  // namespace berth::runtime
