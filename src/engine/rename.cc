#include "engine/rename.h"

#include "base/fault.h"
#include "base/log.h"
#include "engine/container/announce.h"
#include "engine/container/names.h"
#include "engine/network/name_server.h"
#include "engine/recovery/store_copy.h"
#include "store/container_name.h"

namespace berth::engine {

Result<> rename_container(store::Store& store, std::string_view word, const std::string& name) {
  TRY(check_name(name));
  store::Transaction transaction = TRY(store::Transaction::begin(store.db()));
  store::ContainerRecord record = TRY(store::find_container(store.db(), word));
  const std::string before = record.name;
  if (before == name) return fail(Code::conflict, "container {} has that name already", name);
  TRY(store::set_container_name(store.db(), record.id, name));
  record.name = name;
  if (!record.remove_on_exit) TRY(write_container_copy(store, record));
  fault::point("before-rename-commit");
  TRY(transaction.commit());
  announce(store, record, events::kRename, {{std::string(events::kOldName), before}});
  // The others in its networks find it by its new name from now on.
  if (const Result<> named = update_name_server(store); !named)
    log::warn("the name server does not know the new name yet: {}", named.error().message);
  return {};
}

}  // namespace berth::engine
