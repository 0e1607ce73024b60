#include "runtime/protocol.h"

#include <cstring>

#include "runtime/execution.h"

namespace berth::runtime {

Failure to_failure(const Error& error) {
  return {static_cast<uint8_t>(error.code), error.err, error.message, error.hint};
}

Error to_error(const Failure& failure) {
  const bool known = failure.code <= static_cast<uint8_t>(Code::command_not_found);
  return {known ? static_cast<Code>(failure.code) : Code::failed, failure.err, failure.message, failure.hint};
}

Error failure_from(const std::string& command, std::string_view said) {
  if (said.size() == sizeof(ExecFailure)) {
    ExecFailure failure;
    std::memcpy(&failure, said.data(), sizeof failure);
    if (failure.mark == kExecFailureMark) return exec_error(command, failure.err, true);
  }
  const Result<Failure> failure = wire::decode<Failure>(said);
  return failure ? to_error(*failure) : failure.error();
}

}  // namespace berth::runtime
