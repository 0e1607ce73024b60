#include "cli/each_container.h"

#include <cstdio>

namespace berth::cli {

int for_each_container(store::Store& store, const EachContainer& each,
                       const std::function<Result<>(const store::ContainerRecord&)>& act) {
  int status = 0;
  for (const std::string& name : each.names) {
    const Result<store::ContainerRecord> record = store::find_container(store.db(), name);
    if (!record && record.error().code == Code::not_found && each.ignore) continue;
    const Result<> done = record ? act(*record) : Result<>(std::unexpected(record.error()));
    if (done) {
      if (each.print) fmt::print("{}\n", name);
      continue;
    }
    fmt::print(stderr, "{}", render("berth", done.error()));
    status = exit_status(done.error().code);
  }
  return status;
}

}  // namespace berth::cli
