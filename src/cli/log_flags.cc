#include "cli/log_flags.h"

#include "base/fields.h"
#include "cli/flag_values.h"

namespace berth::cli {

namespace {

Result<std::string> parse_driver(const std::string& text) {
  if (text.empty()) return std::string(engine::kLogDriver);
  if (text == engine::kLogDriver || text == "json-file" || text == engine::kNoLog) return text;
  Error error = fail(Code::usage, "--log-driver {}: berth has no such log driver", text).error();
  return std::unexpected(std::move(error).with_hint(
      "It is k8s-file (default; json-file is taken for the same) or none; `berth logs` reads it."));
}

// "-1" and "unlimited" are podman's and Docker's words for no bound.
Result<uint64_t> parse_max_size(const std::string& option, const std::string& value) {
  if (value == "-1" || value == "unlimited") return uint64_t{0};
  constexpr uint64_t kLeast = 1024;
  const uint64_t size = TRY_CONTEXT(parse_size("--log-opt", value), "--log-opt {}", option);
  if (size >= kLeast) return size;
  return fail(Code::usage, "--log-opt {}: a log of less than 1k keeps nothing", option);
}

}  // namespace

void add_log_flags(Flags& line, LogFlags& flags) {
  line.value("--log-driver", flags.driver,
             "How its log is kept: k8s-file (default), json-file (the same), none");
  line.list("--log-opt", flags.options, "max-size=SIZE of a log's file (32m), max-file=COUNT of files (4)");
}

Result<engine::LogSpec> log_spec(const LogFlags& flags) {
  engine::LogSpec spec{.driver = TRY(parse_driver(flags.driver))};
  for (const std::string& option : flags.options) {
    const size_t equals = option.find('=');
    const std::string key = option.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : option.substr(equals + 1);
    if (key == "max-size") {
      spec.max_size = TRY(parse_max_size(option, value));
    } else if (key == "max-file") {
      const auto count = whole_number<uint32_t>(value);
      if (!count || *count == 0 || *count > monitor::kMostLogFiles)
        return fail(Code::usage, "--log-opt {}: it is a number from 1 to {}", option, monitor::kMostLogFiles);
      spec.max_files = *count;
    } else {
      Error error = fail(Code::usage, "--log-opt {}: berth has no such option", option).error();
      return std::unexpected(std::move(error).with_hint("It is max-size=10m or max-file=3."));
    }
  }
  return spec;
}

}  // namespace berth::cli
