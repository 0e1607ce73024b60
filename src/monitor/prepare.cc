#include "monitor/prepare.h"

#include <optional>

#include <fcntl.h>

#include "base/fault.h"
#include "sys/companion.h"
#include "sys/file.h"
#include "sys/sealed_program.h"

namespace berth::monitor {

namespace {

// From outside, since to lower it takes CAP_SYS_RESOURCE on the host.
Result<> set_oom_score(pid_t process, int32_t score) {
  const std::string path = fmt::format("/proc/{}/oom_score_adj", process);
  TRY_CONTEXT(sys::write_control_file(AT_FDCWD, path, fmt::format("{}", score)), "--oom-score-adj {}", score);
  return {};
}

}  // namespace

Result<Prepared> prepare(sys::Channel& client) {
  sys::Message message = TRY(client.receive(kMostJoined));
  if (TRY(kind_of(message.data)) != Kind::prepare) return fail("{}", kNotByHand);
  const auto request = TRY(wire::decode<PrepareRequest>(std::string_view(message.data).substr(1)));
  const std::string path = TRY(sys::companion_path("berth-init"));
  sys::UniqueFd init = TRY(sys::open_sealed_program(path));
  if (request.joined.size() != message.fds.size()) return fail("{}", kNotByHand);
  std::optional<ContainerCgroup> cgroup;
  if (ContainerCgroup::comes_first(request.cgroup))
    cgroup.emplace(TRY(ContainerCgroup::make(request.cgroup, 0)));
  runtime::Namespaces namespaces{.plan = request.namespaces, .cgroup = cgroup ? cgroup->clone_fd() : -1};
  for (size_t i = 0; i < message.fds.size(); ++i)
    namespaces.joined.push_back({request.joined[i], std::move(message.fds[i])});
  runtime::PreparedContainer container =
      TRY(runtime::PreparedContainer::prepare(namespaces, std::move(init)));
  if (request.cgroup.oom_score_adj) TRY(set_oom_score(container.pid(), *request.cgroup.oom_score_adj));
  if (!cgroup) cgroup.emplace(TRY(ContainerCgroup::make(request.cgroup, container.pid())));
  return Prepared{std::move(*cgroup), std::move(container)};
}

Result<runtime::RunningContainer> start(Prepared& prepared, const runtime::ContainerPlan& plan,
                                        runtime::StartRequest request, int state) {
  TRY(prepared.cgroup.record(state));
  fault::point("cgroup-recorded");
  const std::vector<sys::UniqueFd> entrances = TRY(prepared.cgroup.entrances());
  for (const sys::UniqueFd& entrance : entrances) request.cgroup_entrances.push_back(entrance.get());
  return prepared.container.start(plan, request);
}

}  // namespace berth::monitor
