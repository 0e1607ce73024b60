#include "engine/restart.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fields.h"
#include "base/log.h"
#include "engine/container/container_spec.h"
#include "engine/container/status.h"
#include "engine/container/unfinished.h"
#include "engine/finish.h"
#include "engine/start_again.h"
#include "sys/companion.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/spawn.h"

namespace berth::engine {

namespace {

constexpr int64_t kNanosecondsPerMs = 1'000'000;
constexpr int64_t kFirstDelay = 100;
constexpr int64_t kLongestDelay = 60'000;
constexpr int64_t kLongRun = 10'000;

// "PID START" of the process that waits, below the run root.
constexpr const char* kWaiterFile = "restarting";

std::string waiter_path(std::string_view id) {
  return container_directory(id) + "/" + kWaiterFile;
}

Result<> record_waiter(const store::Store& store, const std::string& id) {
  TRY(sys::ensure_dir_at(store.run_root(), container_directory(id), 0700));
  const std::string text = fmt::format("{} {}", ::getpid(), TRY(sys::start_time(::getpid())));
  return sys::replace_file_at(store.run_root(), waiter_path(id), text, 0600, sys::Durability::none);
}

struct Waiter {
  pid_t pid = 0;
  int64_t start = 0;
};

std::optional<Waiter> waiter_of(const store::Store& store, const std::string& id) {
  constexpr size_t kLargest = 64;
  const Result<std::string> text = sys::read_file_at(store.run_root(), waiter_path(id), kLargest);
  if (!text) return std::nullopt;
  const size_t space = text->find(' ');
  if (space == std::string::npos) return std::nullopt;
  const auto pid = whole_number<uint32_t>(std::string_view(*text).substr(0, space));
  const auto start = whole_number<uint64_t>(std::string_view(*text).substr(space + 1));
  if (!pid || !start) return std::nullopt;
  return Waiter{static_cast<pid_t>(*pid), static_cast<int64_t>(*start)};
}

// The clock may have been set since.
std::chrono::milliseconds what_is_left(const store::ContainerRecord& record) {
  const int64_t passed = (now_nanoseconds() - record.finished_at.value_or(0)) / kNanosecondsPerMs;
  return std::chrono::milliseconds(
      std::clamp<int64_t>(record.restart_delay - passed, 0, record.restart_delay));
}

// A start that failed is an end as well, of a container that has not run.
Result<> record_failure(store::Store& store, const store::ContainerRecord& record, const RestartSpec& spec,
                        const Error& error) {
  log::warn("{}", error.message);
  store::ContainerRecord failed = record;
  failed.exit_status = exit_status(error.code);
  failed.started_at = failed.finished_at = now_nanoseconds();
  store::Transaction transaction = TRY(store::Transaction::begin(store.db()));
  TRY(store::set_container_exited(store.db(), record.id, failed.exit_status, *failed.finished_at,
                                  error.message));
  TRY(record_policy(store, spec, failed));
  return transaction.commit();
}

}  // namespace

bool wants_restart(const RestartSpec& spec, const store::ContainerRecord& ended) {
  if (ended.stopped_by_user) return false;
  if (spec.policy == "always" || spec.policy == "unless-stopped") return true;
  if (spec.policy != "on-failure") return false;
  const bool may = spec.most == 0 || static_cast<uint64_t>(ended.restart_count) < spec.most;
  return may && ended.exit_status != 0;
}

int64_t next_delay(const store::ContainerRecord& ended) {
  const int64_t ran = (ended.finished_at.value_or(0) - ended.started_at.value_or(0)) / kNanosecondsPerMs;
  if (ended.restart_delay <= 0 || ran >= kLongRun) return kFirstDelay;
  return std::min(ended.restart_delay * 2, kLongestDelay);
}

Result<bool> record_policy(store::Store& store, const RestartSpec& spec,
                           const store::ContainerRecord& ended) {
  if (!wants_restart(spec, ended)) return false;
  TRY(store::set_container_restarting(store.db(), ended.id, ended.restart_count + 1, next_delay(ended)));
  return true;
}

bool wants_start_at_boot(const RestartSpec& spec, const store::ContainerRecord& record) {
  if (!record.started_at) return false;
  return spec.policy == "always" || (spec.policy == "unless-stopped" && !record.stopped_by_user);
}

Result<> restart_by_policy(store::Store& store, LockedContainer container) {
  store::ContainerRecord& record = container.record;
  const std::string id = record.id;
  RestartSpec spec = TRY(container_spec_from_json(record.spec)).restart;
  while (record.state == store::kRestarting && !record.stopped_by_user && spec.any()) {
    TRY(record_waiter(store, id));
    fault::point("restart-waiting");
    std::this_thread::sleep_for(what_is_left(record));
    record = TRY(store::find_container(store.db(), id));
    // `berth update` may have given it another one meanwhile.
    spec = TRY(container_spec_from_json(record.spec)).restart;
    if (record.state != store::kRestarting || record.stopped_by_user || !spec.any()) break;
    const Result<StartedAgain> started =
        start_again(store, container, {.interactive = true, .detached = true, .by_policy = true});
    if (started) {
      forget_unfinished(store, id);
      break;
    }
    TRY(record_failure(store, record, spec, started.error()));
    record = TRY(store::find_container(store.db(), id));
  }
  TRY(sys::remove_tree_at(store.run_root(), waiter_path(id)));
  // A person has stopped it meanwhile, or wants no more restarts.
  if (record.state == store::kRestarting && (record.stopped_by_user || !spec.any()))
    TRY(finish(store, container));
  return {};
}

Result<> cancel_restart(const store::Store& store, const std::string& id) {
  const std::optional<Waiter> waiter = waiter_of(store, id);
  if (!waiter) return {};
  const Result<sys::UniqueFd> process = sys::open_process(waiter->pid);
  // Asked only now that the descriptor holds on to whatever has the PID.
  if (!process || sys::start_time(waiter->pid).value_or(0) != waiter->start) return {};
  return sys::send_signal(process->get(), SIGTERM);
}

Result<> resume_restart(const store::Store& store, const std::string& id) {
  const std::string program = TRY(sys::companion_path("berth"));
  TRY(sys::spawn_apart(program, finish_command(store, id)));
  return {};
}

}  // namespace berth::engine
