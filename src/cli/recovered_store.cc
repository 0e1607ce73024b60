#include "cli/recovered_store.h"

#include <cerrno>

#include "base/log.h"

namespace berth::cli {

namespace {

// Reading needs no room and no lock.
bool is_of_the_disk(const Error& error) {
  return error.err == ENOSPC || error.err == EDQUOT || error.err == EROFS || error.err == EBUSY;
}

}  // namespace

Result<RecoveredStore> open_and_recover(const Invocation& invocation, store::Privacy privacy) {
  store::Store store = TRY(open_store(invocation, privacy));
  Result<engine::Recovered> recovered = engine::recover(store);
  if (!recovered && !is_of_the_disk(recovered.error())) return std::unexpected(recovered.error());
  if (!recovered) log::warn("what has happened meanwhile can't be recorded: {}", recovered.error().message);
  return RecoveredStore{std::move(store), std::move(recovered).value_or(engine::Recovered{})};
}

Result<store::Store> open_recovered_store(const Invocation& invocation, store::Privacy privacy) {
  return TRY(open_and_recover(invocation, privacy)).store;
}

}  // namespace berth::cli
