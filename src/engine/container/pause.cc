#include "engine/container/pause.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/container/announce.h"
#include "engine/container/container_cgroup.h"
#include "engine/container/status.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

// Below the run root, for as long as the container is paused: so `berth ps` need not open every cgroup.
std::string mark(std::string_view id) {
  return container_directory(id) + "/paused";
}

Result<cgroup::Cgroup> running_cgroup(const store::Store& store, const store::ContainerRecord& record) {
  if (!live_status(store, record.id)) return fail(Code::conflict, "container {} is not running", record.name);
  std::optional<cgroup::Cgroup> cgroup = TRY(cgroup_of(store, record.id));
  if (cgroup) return std::move(*cgroup);
  Error error{
      Code::conflict, 0, fmt::format("container {} has no cgroup of its own to freeze", record.name), {}};
  return std::unexpected(
      std::move(error).with_hint("It was made with --cgroups=disabled, or this host gives none."));
}

Result<> unmark(const store::Store& store, std::string_view id) {
  if (::unlinkat(store.run_root(), mark(id).c_str(), 0) == 0 || errno == ENOENT) return {};
  return fail_errno(errno, "remove {}", mark(id));
}

}  // namespace

bool is_paused(const store::Store& store, std::string_view id) {
  return sys::exists_at(store.run_root(), mark(id));
}

Result<> pause_container(store::Store& store, const store::ContainerRecord& record) {
  const cgroup::Cgroup cgroup = TRY(running_cgroup(store, record));
  if (is_paused(store, record.id)) return fail(Code::conflict, "container {} is paused already", record.name);
  // First the mark: who stops a frozen container has to find it.
  const sys::UniqueFd made =
      TRY(sys::open_at(store.run_root(), mark(record.id), O_WRONLY | O_CREAT | O_NOFOLLOW, 0600));
  if (const Result<> frozen = cgroup.freeze(); !frozen) {
    TRY(unmark(store, record.id));
    return std::unexpected(Error(frozen.error()).context(fmt::format("cannot pause {}", record.name)));
  }
  announce(store, record, events::kPause);
  return {};
}

Result<> unpause_container(store::Store& store, const store::ContainerRecord& record) {
  const cgroup::Cgroup cgroup = TRY(running_cgroup(store, record));
  if (!is_paused(store, record.id)) return fail(Code::conflict, "container {} is not paused", record.name);
  TRY_CONTEXT(cgroup.thaw(), "cannot unpause {}", record.name);
  TRY(unmark(store, record.id));
  announce(store, record, events::kUnpause);
  return {};
}

Result<> thaw_if_paused(const store::Store& store, std::string_view id) {
  if (!is_paused(store, id)) return {};
  const std::optional<cgroup::Cgroup> cgroup = TRY(cgroup_of(store, id));
  if (cgroup) TRY(cgroup->thaw());
  return unmark(store, id);
}

}  // namespace berth::engine
