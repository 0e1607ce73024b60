#include "cli/recovered_store.h"

#include "engine/recover.h"

namespace berth::cli {

Result<store::Store> open_recovered_store(const Invocation& invocation, store::Privacy privacy) {
  store::Store store = TRY(open_store(invocation, privacy));
  TRY(engine::recover(store));
  return store;
}

}  // namespace berth::cli
