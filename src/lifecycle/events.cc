#include "lifecycle/events.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <poll.h>

#include "cgroup/oom_watch.h"
#include "cgroup/statistics.h"
#include "lifecycle/event_text.h"
#include "lifecycle/record.h"
#include "sys/process.h"

namespace berth::lifecycle {

namespace {

using Clock = std::chrono::steady_clock;

struct Watched {
  std::string id;
  cgroup::Cgroup cgroup;
  sys::UniqueFd process;
};

Result<Watched> open_watched(const Root& root, const std::string& id) {
  const sys::UniqueFd directory = TRY(look_into(root, id));
  const Record record = TRY(read_record(directory.get()));
  std::optional<sys::UniqueFd> process = TRY(open_process(record));
  if (!process) return fail(Code::conflict, "container not running");
  std::optional<cgroup::Cgroup> cgroup = TRY(open_cgroup(record));
  if (!cgroup) return fail("the cgroup of container {} is not there", id);
  return Watched{id, std::move(*cgroup), std::move(*process)};
}

Result<> tell_statistics(const Watched& watched, const TakeLine& take) {
  const cgroup::Statistics statistics = TRY(cgroup::read_statistics(watched.cgroup));
  const std::string line = TRY(stats_event(watched.id, statistics));
  return take(line);
}

Result<> tell_ooms(const std::string& id, cgroup::OomWatch& oom, const TakeLine& take) {
  const std::string line = TRY(oom_event(id));
  for (uint64_t times = TRY(oom.times()); times > 0; --times) TRY(take(line));
  return {};
}

// Whether the process still runs when something has happened or the time has come.
Result<bool> await(const Watched& watched, const std::optional<cgroup::OomWatch>& oom,
                   Clock::time_point until) {
  std::array<pollfd, 2> polled{{{watched.process.get(), POLLIN, 0}, {-1, 0, 0}}};
  if (oom) polled[1] = {oom->fd(), oom->events(), 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  const int ready = sys::poll_process(polled, static_cast<int>(std::clamp<int64_t>(left, 0, 3'600'000)));
  if (ready < 0 && errno != EINTR) return fail_errno(errno, "wait for events");
  return ready <= 0 || polled[0].revents == 0;
}

}  // namespace

Result<> show_statistics(const Root& root, const std::string& id, const TakeLine& take) {
  const Watched watched = TRY(open_watched(root, id));
  return tell_statistics(watched, take);
}

Result<> watch_events(const Root& root, const std::string& id, std::chrono::milliseconds interval,
                      const TakeLine& take) {
  const Watched watched = TRY(open_watched(root, id));
  std::optional<cgroup::OomWatch> oom = TRY(cgroup::OomWatch::start(watched.cgroup));
  Clock::time_point next = Clock::now() + interval;
  bool running = true;
  while (running) {
    running = TRY(await(watched, oom, next));
    // Also after the end: it may have been what ended the process.
    if (oom) TRY(tell_ooms(id, *oom, take));
    if (!running || Clock::now() < next) continue;
    TRY(tell_statistics(watched, take));
    next = std::max(next + interval, Clock::now());
  }
  return {};
}

}  // namespace berth::lifecycle
