#include "cli/named_or_latest.h"

namespace berth::cli {

Result<std::vector<store::ContainerRecord>> named_or_latest(store::Store& store,
                                                            const std::vector<std::string>& names,
                                                            bool latest) {
  std::vector<store::ContainerRecord> records;
  if (latest) {
    records = TRY(store::list_containers(store.db()));
    if (records.empty()) return fail(Code::not_found, "there is no container");
    records.resize(1);
  }
  for (const std::string& name : names) records.push_back(TRY(store::find_container(store.db(), name)));
  return records;
}

}  // namespace berth::cli
