#include "engine/stop.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <limits>

#include <poll.h>

#include "base/log.h"
#include "engine/container/announce.h"
#include "engine/container/container_spec.h"
#include "engine/container/pause.h"
#include "engine/container/status.h"
#include "engine/finish.h"
#include "engine/remove.h"
#include "engine/restart.h"
#include "oci/image_config.h"
#include "store/images.h"
#include "sys/process.h"
#include "sys/signal_names.h"

namespace berth::engine {

namespace {

using std::chrono::milliseconds;

Result<int> stop_signal(store::Store& store, const store::ContainerRecord& record,
                        const ContainerSpec& spec) {
  std::string name = spec.stop_signal;
  if (name.empty()) {
    const Result<store::ImageRecord> image = store::find_image(store, record.image_id);
    // A container can be stopped whatever has become of its image.
    if (image) {
      if (const auto config = oci::parse_image_config(image->config)) name = config->stop_signal;
    }
  }
  if (name.empty()) return SIGTERM;
  return sys::signal_number(name).value_or(SIGTERM);
}

int timeout_of(milliseconds patience) {
  if (patience == milliseconds::max()) return -1;
  return static_cast<int>(std::min<int64_t>(patience.count(), std::numeric_limits<int>::max()));
}

// Sends the signal and waits; `killed` where that has not ended it.
Result<Stopped> end_process(store::Store& store, const store::ContainerRecord& record,
                            const StopOptions& options) {
  const std::optional<FirstProcess> first = first_process(store, record.id);
  if (!first) return Stopped{};
  Stopped stopped{.ran = true};
  if (options.signal != 0) TRY(sys::send_signal(first->pidfd.get(), options.signal));
  TRY(thaw_if_paused(store, record.id));
  pollfd ended{first->pidfd.get(), POLLIN, 0};
  stopped.killed = sys::poll_process({&ended, 1}, timeout_of(options.patience)) == 0;
  return stopped;
}

// One without a restart policy can be stopped on a full disk, too: nobody would start it again.
Result<> note_stop(store::Store& store, const store::ContainerRecord& record) {
  Result<> noted = store::set_container_stopped(store.db(), record.id);
  if (noted || noted.error().err != ENOSPC) return noted;
  return TRY(container_spec_from_json(record.spec)).restart.any() ? noted : Result<>();
}

bool ends_it(int signal, int own) {
  return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGQUIT || signal == own;
}

}  // namespace

Result<StopOptions> stop_options(store::Store& store, const store::ContainerRecord& record,
                                 std::optional<int64_t> patience) {
  const ContainerSpec spec = TRY(container_spec_from_json(record.spec));
  constexpr int64_t kLongest = milliseconds::max().count() / 1000;
  int64_t seconds = kStopTimeout;
  if (spec.restart.stop_timeout)
    seconds = static_cast<int64_t>(std::min<uint64_t>(*spec.restart.stop_timeout, kLongest + 1));
  if (patience) seconds = *patience;
  const bool for_ever = seconds < 0 || seconds > kLongest;
  return StopOptions{.signal = TRY(stop_signal(store, record, spec)),
                     .patience = for_ever ? milliseconds::max() : milliseconds(seconds * 1000)};
}

Result<Stopped> stop_container(store::Store& store, const store::ContainerRecord& record,
                               const StopOptions& options) {
  const bool active = record.state != store::kExited || live_status(store, record.id).has_value();
  if (!active) return Stopped{};
  // Before it ends, for whoever sees that end.
  if (options.by_user) TRY(note_stop(store, record));
  const Stopped stopped = TRY(end_process(store, record, options));
  // It has ended, does so within a moment, or has to be made to; whoever finishes it is waited for.
  Result<LockedContainer> locked = kill_and_lock_container(store, record);
  if (!locked && locked.error().code == Code::not_found) return stopped;
  if (!locked) return std::unexpected(locked.error());
  const Result<Finished> done = finish(store, *locked);
  if (!done && done.error().err != ENOSPC) return std::unexpected(done.error());
  if (!done)
    log::warn("container {} has ended, which is not on record: {}", record.name, done.error().message);
  if (stopped.ran) announce(store, record, events::kStop);
  return stopped;
}

Result<> ask_to_stop(store::Store& store, const std::string& id, int signal) {
  const std::optional<FirstProcess> first = first_process(store, id);
  if (!first) return {};
  TRY(sys::send_signal(first->pidfd.get(), signal));
  return thaw_if_paused(store, id);
}

Result<> note_signal(store::Store& store, const store::ContainerRecord& record, int signal) {
  const ContainerSpec spec = TRY(container_spec_from_json(record.spec));
  if (!ends_it(signal, TRY(stop_signal(store, record, spec)))) return {};
  return store::set_container_stopped(store.db(), record.id);
}

Result<> signal_container(store::Store& store, const store::ContainerRecord& record, int signal) {
  const std::optional<FirstProcess> first = first_process(store, record.id);
  if (!first)
    return fail(Code::conflict, "container {} does not run ({}), and gets no signals", record.name,
                record.state);
  TRY(note_signal(store, record, signal));
  TRY(sys::send_signal(first->pidfd.get(), signal));
  announce(store, record, events::kKill, {{std::string(events::kSignal), fmt::format("{}", signal)}});
  return {};
}

}  // namespace berth::engine
