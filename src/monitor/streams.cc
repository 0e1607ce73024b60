#include "monitor/streams.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "monitor/protocol.h"
#include "sys/file.h"

namespace berth::monitor {

namespace {
struct Pipe {
  sys::UniqueFd read;
  sys::UniqueFd write;
};

Result<Pipe> make_pipe(uint32_t uid, uint32_t gid) {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) return fail_errno(errno, "make a pipe");
  Pipe pipe{sys::UniqueFd(fds[0]), sys::UniqueFd(fds[1])};
  if (::fchown(fds[0], uid, gid) != 0) return fail_errno(errno, "give a pipe to the container's user");
  return pipe;
}
}  // namespace

Result<StreamEnds> make_streams(const runtime::ContainerPlan& plan, bool with_input) {
  const uint32_t uid = TRY(runtime::outside_id(plan.uid_map, plan.process.uid));
  const uint32_t gid = TRY(runtime::outside_id(plan.gid_map, plan.process.gid));
  StreamEnds ends;
  if (with_input) {
    Pipe input = TRY(make_pipe(uid, gid));
    ends.inside.input = std::move(input.read);
    ends.outside.input = std::move(input.write);
  }
  Pipe output = TRY(make_pipe(uid, gid));
  Pipe error = TRY(make_pipe(uid, gid));
  ends.inside.output = std::move(output.write);
  ends.inside.error = std::move(error.write);
  ends.outside.output = std::move(output.read);
  ends.outside.error = std::move(error.read);
  return ends;
}

Result<sys::UniqueFd> open_log(int container_directory) {
  return sys::open_at(container_directory, kLogFile, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
}

}  // namespace berth::monitor
