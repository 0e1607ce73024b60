#include "runtime/protocol.h"

namespace berth::runtime {

Failure to_failure(const Error& error) {
  return {static_cast<uint8_t>(error.code), error.err, error.message, error.hint};
}

Error to_error(const Failure& failure) {
  const bool known = failure.code <= static_cast<uint8_t>(Code::command_not_found);
  return {known ? static_cast<Code>(failure.code) : Code::failed, failure.err, failure.message, failure.hint};
}

}  // namespace berth::runtime
