#include "engine/health/health_state.h"

#include <cerrno>
#include <nlohmann/json.hpp>

#include <fcntl.h>

#include "engine/container/status.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

using Json = nlohmann::json;

constexpr const char* kFile = "health";
constexpr const char* kLock = "health.lock";

std::string text_of(const HealthState& state) {
  Json results = Json::array();
  for (const HealthResult& result : state.results) {
    results.push_back({{"begun_at", result.begun_at},
                       {"ended_at", result.ended_at},
                       {"exit_code", result.exit_code},
                       {"output", result.output}});
  }
  const Json document = {
      {"status", state.status}, {"failing_streak", state.failing_streak}, {"results", results}};
  // A check may write anything at all.
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// The file is berth's own; one that a crash has damaged is as none.
std::optional<HealthState> parse(const std::string& text) {
  try {
    const Json document = Json::parse(text);
    HealthState state;
    document.at("status").get_to(state.status);
    document.at("failing_streak").get_to(state.failing_streak);
    for (const Json& entry : document.at("results")) {
      HealthResult result;
      entry.at("begun_at").get_to(result.begun_at);
      entry.at("ended_at").get_to(result.ended_at);
      entry.at("exit_code").get_to(result.exit_code);
      entry.at("output").get_to(result.output);
      state.results.push_back(std::move(result));
    }
    return state;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::optional<HealthState> read(int directory, const std::string& path) {
  constexpr size_t kLargest = 256UL * 1024;
  const Result<std::string> text = sys::read_file_at(directory, path, kLargest);
  return text ? parse(*text) : std::nullopt;
}

Result<sys::UniqueFd> open_directory(const store::Store& store, std::string_view id) {
  return sys::open_at(store.run_root(), container_directory(id), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

Result<> write(int directory, const HealthState& state) {
  return sys::replace_file_at(directory, kFile, text_of(state), 0600, sys::Durability::none);
}

}  // namespace

std::optional<HealthState> health_state(const store::Store& store, std::string_view id) {
  return read(store.run_root(), container_directory(id) + "/" + kFile);
}

Result<> begin_health(const store::Store& store, std::string_view id) {
  const sys::UniqueFd directory = TRY(open_directory(store, id));
  return write(directory.get(), HealthState{});
}

HealthState with_result(HealthState state, HealthResult result, const HealthCheck& check,
                        int64_t started_at) {
  if (result.exit_code == 0) {
    state.status = kHealthy;
    state.failing_streak = 0;
  } else {
    const bool starting =
        state.status == kHealthStarting && result.begun_at - started_at < check.start_period.count();
    if (!starting) ++state.failing_streak;
    if (state.failing_streak >= check.retries) state.status = kUnhealthy;
  }
  state.results.push_back(std::move(result));
  if (state.results.size() > kHealthResults) state.results.erase(state.results.begin());
  return state;
}

Result<HealthChange> record_health(const store::Store& store, std::string_view id, const HealthResult& result,
                                   const HealthCheck& check, int64_t started_at) {
  const sys::UniqueFd directory = TRY(open_directory(store, id));
  // Nothing is made in a directory that is being removed.
  if (!sys::exists_at(directory.get(), kFile)) return fail_errno(ENOENT, "record a health check");
  const sys::FileLock lock = TRY(sys::FileLock::exclusive(directory.get(), kLock));
  HealthChange change;
  change.before = read(directory.get(), kFile).value_or(HealthState{});
  change.after = with_result(change.before, result, check, started_at);
  TRY(write(directory.get(), change.after));
  return change;
}

}  // namespace berth::engine
