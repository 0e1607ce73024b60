#include "runtime/mapped_binds.h"

#include <array>
#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/descriptor_path.h"
#include "sys/file.h"
#include "sys/mount_api.h"
#include "sys/mount_table.h"
#include "sys/user_namespace.h"

namespace berth::runtime {

namespace {

constexpr std::string_view kHint =
    "Leave out what maps its IDs, or share another directory; \"bind\" in the place of \"rbind\" leaves out "
    "what is mounted below it.";

// The reasons of mount_setattr(2) that have to do with mapping.
Error why_not(int err, const std::string& place, const std::string& type) {
  const std::string what = fmt::format("{} ({})", place, type.empty() ? "unknown file system" : type);
  std::string text;
  if (err == ENOSYS) {
    text = fmt::format("mapping the IDs of {} needs Linux 5.12", what);
  } else if (err == EINVAL) {
    text = fmt::format("the file system of {} can't map IDs", what);
  } else if (err == EPERM) {
    text = fmt::format("{} is mapped already, or belongs to another user namespace", what);
  } else {
    text = fmt::format("map the IDs of {}: {}", what, describe_errno(err));
  }
  return Error{Code::failed, err, std::move(text), std::string(kHint)};
}

std::string type_at(const std::vector<sys::MountEntry>& table, int fd) {
  const Result<uint64_t> id = sys::mount_id_of(fd);
  for (const sys::MountEntry& entry : table) {
    if (id && entry.id == *id) return entry.type;
  }
  return {};
}

// Tries a mount by itself: errno, or 0 where it can be mapped.
int try_alone(int fd, int user_namespace) {
  const Result<sys::UniqueFd> clone = sys::clone_tree(fd, "", false);
  if (!clone) return clone.error().err;
  const Result<> mapped = sys::set_id_mapping(clone->get(), user_namespace, false);
  return mapped ? 0 : mapped.error().err;
}

// Mapping a tree is all or nothing, and the kernel does not say which mount it was: each is tried alone.
Error explain(int err, int source, bool recursive, int user_namespace) {
  const std::string top = sys::path_of_descriptor(source).value_or("");
  const Result<std::vector<sys::MountEntry>> table = sys::read_mount_table();
  if (!table) return why_not(err, top, {});
  const int alone = try_alone(source, user_namespace);
  if (alone != 0 || !recursive) return why_not(alone == 0 ? err : alone, top, type_at(*table, source));
  const std::string below = top == "/" ? top : top + "/";
  for (const sys::MountEntry& entry : *table) {
    if (!entry.place.starts_with(below)) continue;
    const Result<sys::UniqueFd> mount = sys::open_at(AT_FDCWD, entry.place, O_PATH | O_NOFOLLOW);
    const int reason = mount ? try_alone(mount->get(), user_namespace) : 0;
    if (reason != 0) return why_not(reason, entry.place, entry.type);
  }
  return why_not(err, top, type_at(*table, source));
}

}  // namespace

Result<int> BindMapper::namespace_for(const MountPlan& plan) {
  if (plan.uid_map.empty()) return container_;
  const std::string uids = map_text(plan.uid_map);
  const std::string gids = map_text(plan.gid_map);
  const auto [known, is_new] = own_.try_emplace(uids + "/" + gids);
  if (is_new) known->second = TRY(sys::make_user_namespace(uids, gids));
  return known->second.get();
}

Result<> BindMapper::map(const MountPlan& plan, int clone, int source) {
  if (!plan.map_ids) return {};
  const int user_namespace = TRY(namespace_for(plan));
  if (user_namespace < 0) return {};
  const bool recursive = plan.recursive && !plan.map_alone;
  const Result<> mapped = sys::set_id_mapping(clone, user_namespace, recursive);
  if (mapped) return {};
  return std::unexpected(explain(mapped.error().err, source, recursive, user_namespace));
}

}  // namespace berth::runtime
