#include "engine/container/unfinished.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/container/announce.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

constexpr const char* kFile = "unfinished";
constexpr size_t kLongest = 4096;

std::string path_of(std::string_view id) {
  return container_directory(id) + "/" + kFile;
}

std::string text_of(const Error& why) {
  return printable(fmt::format("its end is not on record: {}", why.message)).substr(0, kLongest);
}

Result<> write_note(int run_root, std::string_view id, const Error& why) {
  return sys::replace_file_at(run_root, path_of(id), text_of(why), 0600, sys::Durability::none);
}

}  // namespace

void note_unfinished(const store::Store& store, const store::ContainerRecord& record, const Error& why) {
  const bool known = unfinished_text(store, record.id) == text_of(why);
  if (known) return;
  if (const Result<> written = write_note(store.run_root(), record.id, why); !written)
    log::warn("container {}: {}", record.name, text_of(why));
  announce(store, record, events::kUnfinished, {{std::string(events::kReason), why.message}});
}

void note_unfinished(const std::string& run_root, std::string_view id, const Error& why) {
  const Result<sys::UniqueFd> directory = sys::open_at(AT_FDCWD, run_root, O_RDONLY | O_DIRECTORY);
  const Result<> written =
      directory ? write_note(directory->get(), id, why) : std::unexpected(directory.error());
  if (!written) log::warn("container {}: {}", id, text_of(why));
}

std::string unfinished_text(const store::Store& store, std::string_view id) {
  return sys::read_file_at(store.run_root(), path_of(id), kLongest).value_or(std::string());
}

void forget_unfinished(const store::Store& store, std::string_view id) {
  if (::unlinkat(store.run_root(), path_of(id).c_str(), 0) != 0 && errno != ENOENT)
    log::debug("remove {}: {}", path_of(id), describe_errno(errno));
}

store::ContainerRecord as_it_is(const store::Store& store, store::ContainerRecord record) {
  const bool ran = record.state == store::kRunning || record.state == store::kCreated;
  if (!ran || unfinished_text(store, record.id).empty() || live_status(store, record.id)) return record;
  store::ContainerRecord ended = ended_record(store, record);
  ended.state = store::kExited;
  return ended;
}

store::ContainerRecord ended_record(const store::Store& store, const store::ContainerRecord& record) {
  store::ContainerRecord ended = record;
  const std::optional<ExitRecord> found = exit_record(store, record.id);
  if (found) {
    ended.exit_status = found->status;
    ended.oom_killed = found->oom_killed;
    ended.finished_at = found->finished_at;
    ended.exit_reason.clear();
  } else {
    ended.exit_status.reset();
    ended.finished_at = now_nanoseconds();
    ended.exit_reason = kMonitorLost;
  }
  // Whoever started it may have been killed before that was recorded.
  if (!ended.started_at) {
    const int64_t started = last_start(store, record.id);
    ended.started_at = started == 0 ? record.created_at : started;
  }
  return ended;
}

}  // namespace berth::engine
