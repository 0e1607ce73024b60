#include "engine/translation/id_mapping_probe.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

#include "sys/file.h"
#include "sys/mount_api.h"
#include "sys/user_namespace.h"

namespace berth::engine {

namespace {

// Any host IDs do: nothing is ever made with them.
constexpr const char* kAnyMap = "0 1879048192 1\n";

// The name has the device in it, as another disk may be mounted there.
Result<std::string> note_of(const store::Store& store) {
  const struct stat st = TRY(sys::stat_at(store.root(), "", AT_EMPTY_PATH));
  return fmt::format("maps-ids-{:x}", st.st_dev);
}

}  // namespace

Result<IdMapping> probe_id_mapping(const store::Store& store) {
  const std::string note = TRY(note_of(store));
  if (sys::exists_at(store.run_root(), note)) return IdMapping{};
  const sys::UniqueFd clone = TRY(sys::clone_tree(store.root(), "", false));
  const sys::UniqueFd user_namespace = TRY(sys::make_user_namespace(kAnyMap, kAnyMap));
  const Result<> mapped = sys::set_id_mapping(clone.get(), user_namespace.get(), false);
  if (mapped) {
    TRY(sys::open_at(store.run_root(), note, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600));
    return IdMapping{};
  }
  const int err = mapped.error().err;
  if (err == EINVAL)
    return IdMapping{false, fmt::format("the file system of {} can't map IDs", store.locations().root)};
  if (err == EPERM)
    return IdMapping{false, fmt::format("the file system of {} is mapped already", store.locations().root)};
  return IdMapping{};
}

}  // namespace berth::engine
