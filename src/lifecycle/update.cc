#include "lifecycle/update.h"

#include "base/log.h"
#include "lifecycle/limits.h"
#include "lifecycle/record.h"
#include "lifecycle/systemd_cgroup.h"
#include "scope/scope.h"

namespace berth::lifecycle {

Result<> update(const Root& root, const std::string& id, const bundle::Resources& resources) {
  const Directory directory = TRY(open_directory(root, id));
  const Record record = TRY(read_record(directory.fd.get()));
  const bundle::Status status = TRY(status_of(directory.fd.get(), record));
  if (status == bundle::Status::stopped || status == bundle::Status::creating)
    return fail(Code::conflict, "container not running: {}", bundle::status_name(status));
  const std::optional<cgroup::Cgroup> cgroup = TRY(open_cgroup(record));
  if (!cgroup) return fail("the cgroup of container {} is not there", id);
  if (!resources.devices.empty()) log::warn("update does not change the rules for devices");
  const cgroup::Limits limits = limits_of(resources);
  if (record.unit.empty()) return cgroup::apply_limits(*cgroup, limits);
  systemd::Manager systemd = TRY(connect_to_systemd());
  return scope::apply_limits(systemd, record.unit, *cgroup, limits);
}

}  // namespace berth::lifecycle
