#include "cli/recovered_store.h"

#include <cerrno>

#include "base/log.h"
#include "engine/recover.h"

namespace berth::cli {

namespace {

// Reading needs no room and no lock.
bool is_of_the_disk(const Error& error) {
  return error.err == ENOSPC || error.err == EDQUOT || error.err == EROFS || error.err == EBUSY;
}

}  // namespace

Result<store::Store> open_recovered_store(const Invocation& invocation, store::Privacy privacy) {
  store::Store store = TRY(open_store(invocation, privacy));
  const Result<engine::Recovered> recovered = engine::recover(store);
  if (!recovered && !is_of_the_disk(recovered.error())) return std::unexpected(recovered.error());
  if (!recovered) log::warn("what has happened meanwhile can't be recorded: {}", recovered.error().message);
  return store;
}

}  // namespace berth::cli
