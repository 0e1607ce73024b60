#include "engine/translation/id_mapping_probe.h"

#include <cerrno>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "runtime/rootfs.h"
#include "store/staging.h"
#include "sys/descriptor_path.h"
#include "sys/file.h"
#include "sys/mount_api.h"
#include "sys/process.h"
#include "sys/user_namespace.h"

namespace berth::engine {

namespace {

// Any host IDs do: nothing that is made with them stays.
constexpr uint32_t kAnyId = 1'879'048'192;
constexpr const char* kAnyMap = "0 1879048192 1\n";

// The name has the device in it, as another disk may be mounted there.
Result<std::string> note_of(const store::Store& store) {
  const struct stat st = TRY(sys::stat_at(store.root(), "", AT_EMPTY_PATH));
  return fmt::format("stacks-mapped-{:x}", st.st_dev);
}

// As the monitor of a container does it, and so in a mount namespace of its own: errno, 0 where it works.
Result<int> try_to_stack(const store::Store& store, int user_namespace) {
  const store::Staging staging = TRY(store::Staging::create(store));
  for (const char* directory : {"layer", "own", "own/upper", "own/work", "scratch"})
    TRY(sys::ensure_dir_at(staging.fd(), directory, 0755));
  const std::string place = TRY(sys::path_of_descriptor(staging.fd()));
  const runtime::RootfsPlan plan{
      .layers = {place + "/layer"}, .upper = place + "/own/upper", .work = place + "/own/work"};
  const std::string scratch = place + "/scratch";
  const auto stack = [&]() -> Result<> {
    // What is mounted on the way is not to be seen on the host.
    TRY(sys::separate_mounts());
    std::vector<sys::UniqueFd> sources;
    const runtime::HostIds root{HostUid(kAnyId), HostGid(kAnyId)};
    TRY(runtime::mount_rootfs({plan, user_namespace, root, scratch}, sources));
    return {};
  };
  Result<> stacked;
  TRY(sys::call_in_namespaces(CLONE_NEWNS, [&] { stacked = stack(); }));
  if (stacked) return 0;
  log::debug("layers whose IDs are mapped can't be stacked: {}", stacked.error().message);
  return stacked.error().err;
}

std::optional<std::string> why_not_mapped(int err, const std::string& root) {
  if (err == EINVAL) return fmt::format("the file system of {} can't map IDs", root);
  if (err == EPERM) return fmt::format("the file system of {} is mapped already", root);
  if (err == ENOSYS) return "this kernel can't map the IDs of mounts (Linux 5.12 can)";
  return std::nullopt;
}

}  // namespace

Result<IdMapping> probe_id_mapping(const store::Store& store) {
  const std::string note = TRY(note_of(store));
  if (sys::exists_at(store.run_root(), note)) return IdMapping{};
  const std::string& root = store.locations().root;
  const Result<sys::UniqueFd> clone = sys::clone_tree(store.root(), "", false);
  if (!clone && clone.error().err != ENOSYS) return std::unexpected(clone.error());
  const sys::UniqueFd user_namespace = TRY(sys::make_user_namespace(kAnyMap, kAnyMap));
  const Result<> mapped =
      clone ? sys::set_id_mapping(clone->get(), user_namespace.get(), false) : std::unexpected(clone.error());
  if (!mapped) {
    auto reason = why_not_mapped(mapped.error().err, root);
    return reason ? IdMapping{false, std::move(*reason)} : IdMapping{};
  }
  const int err = TRY(try_to_stack(store, user_namespace.get()));
  if (err == EINVAL)
    return IdMapping{false, "overlayfs can't stack layers whose IDs are mapped on this kernel"};
  if (err == 0) TRY(sys::open_at(store.run_root(), note, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600));
  return IdMapping{};
}

}  // namespace berth::engine
