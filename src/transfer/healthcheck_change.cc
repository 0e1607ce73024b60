#include "transfer/healthcheck_change.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/duration.h"
#include "base/fields.h"
#include "oci/json.h"

namespace berth::transfer {

namespace {

constexpr size_t kLongestList = 1 << 20;

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

// In nanoseconds.
Result<int64_t> span(std::string_view text) {
  const auto parsed = parse_duration(text);
  if (!parsed) return fail(Code::usage, "\"{}\" is no duration such as 30s or 1m30s", text);
  return std::chrono::nanoseconds(*parsed).count();
}

Result<> take_flag(std::string_view flag, oci::Healthcheck& check) {
  const size_t equals = std::min(flag.find('='), flag.size());
  const std::string_view name = flag.substr(0, equals);
  const std::string_view value = flag.substr(std::min(equals + 1, flag.size()));
  if (name == "--interval") {
    check.interval = TRY(span(value));
  } else if (name == "--timeout") {
    check.timeout = TRY(span(value));
  } else if (name == "--start-period") {
    check.start_period = TRY(span(value));
  } else if (name == "--retries") {
    const auto number = whole_number<int32_t>(value);
    if (!number) return fail(Code::usage, "--retries {}: it is a number", value);
    check.retries = *number;
  } else {
    return fail(Code::usage, "{} is not one of --interval, --timeout, --start-period, --retries", name);
  }
  return {};
}

}  // namespace

Result<oci::Healthcheck> parse_healthcheck(std::string_view text) {
  oci::Healthcheck check;
  while ((text = without_blanks(text)).starts_with("--")) {
    TRY(take_flag(text.substr(0, text.find_first_of(" \t")), check));
    text.remove_prefix(std::min(text.find_first_of(" \t"), text.size()));
  }
  if (text == "NONE") {
    check.test = {"NONE"};
    return check;
  }
  constexpr std::string_view kCommand = "CMD";
  const std::string_view command =
      text.starts_with(kCommand) ? without_blanks(text.substr(kCommand.size())) : std::string_view();
  if (command.empty()) return fail(Code::usage, "after the flags there is CMD with a command, or NONE");
  if (!command.starts_with('[')) {
    check.test = {"CMD-SHELL", std::string(command)};
    return check;
  }
  const nlohmann::json list = TRY(oci::parse_json(command, kLongestList));
  check.test = {"CMD"};
  for (const oci::JsonView& word : TRY(oci::JsonView(list, "the list").elements()))
    check.test.push_back(TRY(word.string()));
  return check;
}

}  // namespace berth::transfer
