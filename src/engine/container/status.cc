#include "engine/container/status.h"

#include <cerrno>
#include <nlohmann/json.hpp>

#include <fcntl.h>

#include "monitor/protocol.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/process_stat.h"

namespace berth::engine {

namespace {

std::optional<nlohmann::json> read_record(int dirfd, const std::string& path) {
  const Result<std::string> text = sys::read_record_at(dirfd, path);
  if (!text) return std::nullopt;
  nlohmann::json document = nlohmann::json::parse(*text, nullptr, false);
  if (!document.is_object()) return std::nullopt;
  return document;
}

int64_t number(const nlohmann::json& document, const char* key) {
  const auto found = document.find(key);
  return found != document.end() && found->is_number_integer() ? found->get<int64_t>() : 0;
}

// 0 for a process that is not there.
int64_t start_time(pid_t pid) {
  return sys::start_time(pid).value_or(0);
}

std::string state_path(std::string_view id) {
  return container_directory(id) + "/" + monitor::kStateFile;
}

}  // namespace

std::string container_directory(std::string_view id) {
  return fmt::format("containers/{}", id);
}

std::optional<LiveStatus> live_status(const store::Store& store, std::string_view id) {
  const auto document = read_record(store.run_root(), state_path(id));
  if (!document) return std::nullopt;
  const LiveStatus status{static_cast<pid_t>(number(*document, "monitor_pid")),
                          static_cast<pid_t>(number(*document, "pid")), number(*document, "started_at")};
  if (status.monitor_pid <= 0 || start_time(status.monitor_pid) != number(*document, "monitor_start")) {
    return std::nullopt;
  }
  return status;
}

std::optional<FirstProcess> first_process(const store::Store& store, std::string_view id) {
  const auto document = read_record(store.run_root(), state_path(id));
  if (!document) return std::nullopt;
  const auto pid = static_cast<pid_t>(number(*document, "pid"));
  if (pid <= 0) return std::nullopt;
  Result<sys::UniqueFd> pidfd = sys::open_process(pid);
  if (!pidfd) return std::nullopt;
  // Compared once the descriptor is there, which stands for one process for ever.
  const Result<sys::ProcessStat> stat = sys::read_process_stat(pid);
  if (!stat || stat->start != number(*document, "pid_start") || stat->has_ended()) return std::nullopt;
  return FirstProcess{pid, std::move(*pidfd)};
}

std::optional<pid_t> lost_process(const store::Store& store, std::string_view id) {
  const auto document = read_record(store.run_root(), state_path(id));
  if (!document || live_status(store, id)) return std::nullopt;
  const auto pid = static_cast<pid_t>(number(*document, "pid"));
  const int64_t started = number(*document, "pid_start");
  if (pid <= 0 || started == 0 || start_time(pid) != started) return std::nullopt;
  return pid;
}

bool was_started(const store::Store& store, std::string_view id) {
  return sys::exists_at(store.run_root(), state_path(id));
}

int64_t last_start(const store::Store& store, std::string_view id) {
  const auto document = read_record(store.run_root(), state_path(id));
  return document ? number(*document, "started_at") : 0;
}

std::optional<ExitRecord> exit_record(const store::Store& store, std::string_view id) {
  const auto document = read_record(store.root(), container_directory(id) + "/" + monitor::kExitFile);
  if (!document) return std::nullopt;
  return ExitRecord{number(*document, "status"), number(*document, "finished_at"),
                    document->value("oom_killed", nlohmann::json()) == true,
                    document->value("oom_told", nlohmann::json()) == true};
}

}  // namespace berth::engine
