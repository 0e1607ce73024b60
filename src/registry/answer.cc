#include "registry/answer.h"

#include <ctime>
#include <nlohmann/json.hpp>

#include "oci/json.h"
#include "registry/retry.h"

namespace berth::registry {

namespace {

constexpr size_t kMaxErrorBody = 64UL << 10;
constexpr size_t kMaxReasons = 300;

std::string meaning_of(long status, std::string_view missing) {
  switch (status) {
    case 401:
      return "refuses the login";
    case 403:
      return "denies access";
    case 404:
      return fmt::format("has {}", missing);
    case 429:
      return "has had too many requests";
    default:
      return status >= 500 ? "has trouble of its own" : "gave an unexpected answer";
  }
}

Result<std::string> read_reasons(std::string_view body) {
  const nlohmann::json json = TRY(oci::parse_json(body, kMaxErrorBody));
  const oci::JsonView view(json, "the error");
  const auto errors = TRY(view.find("errors"));
  if (!errors) return TRY(view.string_or_empty("details"));
  std::string out;
  for (const oci::JsonView& entry : TRY(errors->elements())) {
    const std::string code = TRY(entry.string_or_empty("code"));
    const std::string message = TRY(entry.string_or_empty("message"));
    if (!out.empty()) out += "; ";
    out += code.empty() || message.empty() ? code + message : fmt::format("{}: {}", code, message);
    if (out.size() > kMaxReasons) break;
  }
  return out;
}

}  // namespace

std::string reasons_in(std::string_view body) {
  Result<std::string> reasons = read_reasons(body);
  if (!reasons) return {};
  if (reasons->size() > kMaxReasons) reasons->resize(kMaxReasons);
  return std::move(*reasons);
}

Failure failure_of(Response& response, const std::string& who, std::string_view missing) {
  const long status = response.status();
  const Attempt<std::string> body = response.read_all(kMaxErrorBody);
  const std::string reasons = body ? reasons_in(*body) : std::string();
  Error error{Code::failed,
              0,
              fmt::format("{} {} (HTTP {}{}{})", who, meaning_of(status, missing), status,
                          reasons.empty() ? "" : ", ", reasons),
              {}};
  if (status == 404) error.code = Code::not_found;
  if (status == 401 || status == 403) error.code = Code::refused;
  const bool transient = status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505);
  Failure failure(std::move(error), transient);
  if (const std::string after = response.headers().first("retry-after"); transient && !after.empty()) {
    failure.retry_after = parse_retry_after(after, ::time(nullptr));
    if (failure.retry_after) {
      failure.error.hint =
          fmt::format("It asks to wait {} seconds before the next try.", failure.retry_after->count());
    }
  }
  return failure;
}

}  // namespace berth::registry
