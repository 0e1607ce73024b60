#include <chrono>
#include <thread>

#include "cli/containers.h"
#include "cli/each_container.h"
#include "cli/flags.h"
#include "cli/recovered_store.h"
#include "engine/container/status.h"
#include "engine/join.h"

namespace berth::cli {

namespace {

constexpr std::chrono::milliseconds kPause{20};

// What is printed for an end that nobody saw, as podman has it.
constexpr int64_t kUnknown = -1;

int64_t status_of(const store::ContainerRecord& record) {
  if (record.state == store::kCreated) return 0;
  return record.exit_status.value_or(kUnknown);
}

bool runs(const store::Store& store, const store::ContainerRecord& record) {
  return record.state == store::kRunning || engine::live_status(store, record.id).has_value();
}

// The end of its present run.
Result<int64_t> wait_for_end(store::Store& store, const store::ContainerRecord& record) {
  std::optional<int64_t> heard;
  if (Result<engine::Session> session = engine::join(store, record, false)) {
    while (true) {
      const Result<sys::Message> message = session->channel.receive();
      if (!message || message->data.empty()) break;
      if (TRY(monitor::kind_of(message->data)) != monitor::Kind::exited) continue;
      heard = TRY(wire::decode<monitor::Exited>(std::string_view(message->data).substr(1))).status;
    }
  }
  const std::optional<store::ContainerRecord> now = TRY(engine::await_finished(store, record));
  if (heard) return *heard;
  return now ? status_of(*now) : kUnknown;
}

// Until `holds` says so, of the container or of nothing where it is gone.
Result<> wait_until(store::Store& store, const std::string& id,
                    const std::function<bool(const store::ContainerRecord*)>& holds) {
  while (true) {
    const Result<store::ContainerRecord> now = store::find_container(store.db(), id);
    if (!now && now.error().code != Code::not_found) return std::unexpected(now.error());
    if (holds(now ? &*now : nullptr)) return {};
    if (!now) return fail(Code::not_found, "container {} has been removed", id.substr(0, 12));
    std::this_thread::sleep_for(kPause);
  }
}

Result<int64_t> wait_for(store::Store& store, const store::ContainerRecord& record,
                         const std::string& condition) {
  if (condition == "running") {
    TRY(wait_until(store, record.id,
                   [&](const auto* now) { return now != nullptr && engine::live_status(store, now->id); }));
    return kUnknown;
  }
  store::ContainerRecord running = record;
  if (condition == "next-exit" && !runs(store, record)) {
    TRY(wait_until(store, record.id,
                   [&](const auto* now) { return now != nullptr && now->started_at != record.started_at; }));
    running = TRY(store::find_container(store.db(), record.id));
  }
  int64_t status = runs(store, running) ? TRY(wait_for_end(store, running)) : status_of(running);
  if (condition != "removed") return status;
  while (true) {
    const Result<store::ContainerRecord> now = store::find_container(store.db(), record.id);
    if (!now && now.error().code == Code::not_found) return status;
    if (!now) return std::unexpected(now.error());
    // Each end is waited for, for the removal may follow it at once.
    if (runs(store, *now)) {
      status = TRY(wait_for_end(store, *now));
    } else {
      std::this_thread::sleep_for(kPause);
    }
  }
}

}  // namespace

Result<int> wait(const Invocation& invocation) {
  EachContainer each{.print = false};
  std::string condition = "stopped";
  Flags line(invocation, "[flags] CONTAINER [CONTAINER...]",
             "Waits until containers do not run, one after the other, and prints their exit statuses, a line "
             "each: -1 "
             "for\n"
             "one whose end nobody saw.",
             "  berth wait job\n  berth wait --condition removed job\n");
  line.value("--condition", condition,
             "stopped (default; also exited, not-running), next-exit, removed or running",
             {.choices = {"stopped", "exited", "not-running", "next-exit", "removed", "running"}});
  line.flag("-i,--ignore", each.ignore, "No error for a container that is not there");
  line.words("containers", each.names, Need::required);
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(open_recovered_store(invocation));
  return for_each_container(store, each, [&](const auto& record) -> Result<> {
    fmt::print("{}\n", TRY(wait_for(store, record, condition)));
    std::fflush(stdout);
    return {};
  });
}

}  // namespace berth::cli
