#include "monitor/streams.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "monitor/protocol.h"
#include "sys/file.h"
#include "sys/pipe.h"

namespace berth::monitor {

namespace {
Result<sys::Pipe> make_pipe(uint32_t uid, uint32_t gid) {
  sys::Pipe pipe = TRY(sys::make_pipe());
  if (::fchown(pipe.read_end.get(), uid, gid) != 0)
    return fail_errno(errno, "give a pipe to the container's user");
  return pipe;
}
}  // namespace

Result<StreamEnds> make_streams(const runtime::ContainerPlan& plan, bool with_input) {
  const uint32_t uid = TRY(runtime::outside_id(plan.uid_map, plan.process.uid));
  const uint32_t gid = TRY(runtime::outside_id(plan.gid_map, plan.process.gid));
  StreamEnds ends;
  if (with_input) {
    sys::Pipe input = TRY(make_pipe(uid, gid));
    ends.inside.input = std::move(input.read_end);
    ends.outside.input = std::move(input.write_end);
  }
  sys::Pipe output = TRY(make_pipe(uid, gid));
  sys::Pipe error = TRY(make_pipe(uid, gid));
  ends.inside.output = std::move(output.write_end);
  ends.inside.error = std::move(error.write_end);
  ends.outside.output = std::move(output.read_end);
  ends.outside.error = std::move(error.read_end);
  return ends;
}

}  // namespace berth::monitor
