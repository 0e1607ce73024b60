// A failed request: the error, and what is worth trying again.
#pragma once

#include <chrono>
#include <expected>
#include <optional>

#include "base/error.h"

namespace berth::registry {

struct Failure {
  Failure(Error cause) : error(std::move(cause)) {}  // NOLINT(google-explicit-constructor): TRY converts
  Failure(Error cause, bool may_pass) : error(std::move(cause)), transient(may_pass) {}

  Error error;
  bool transient = false;  // a broken connection, a time-out, 429, 5xx: the same request may work later
  // No TLS at the other end, or nobody at all, as far as one can tell.
  bool no_tls = false;
  std::optional<std::chrono::seconds> retry_after = std::nullopt;  // what the server asked for

  operator Error() && { return std::move(error); }  // NOLINT(google-explicit-constructor): TRY converts
};

template <typename T>
using Attempt = std::expected<T, Failure>;

}  // namespace berth::registry
