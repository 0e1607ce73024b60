#include "engine/attach_over_restarts.h"

#include <array>
#include <chrono>
#include <csignal>
#include <optional>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/container/container_spec.h"
#include "engine/container/out_of_memory.h"
#include "engine/join.h"
#include "engine/restart.h"
#include "engine/stop.h"

namespace berth::engine {

namespace {

constexpr int kSignalled = 128;  // as a shell has it
constexpr int kUnread = kSignalled + SIGPIPE;

class Stay {
 public:
  Stay(store::Store& store, const store::ContainerRecord& record, const CallerSignals& signals,
       AttachOptions options)
      : store_(store), record_(record), signals_(signals), options_(std::move(options)) {
    options_.on_signal = [this](int signal) { note(signal); };
  }

  Result<int> run(Session& first) {
    const ContainerSpec spec = TRY(container_spec_from_json(record_.spec));
    record_.started_at = first.started.started_at;
    if (const auto over = TRY(stay_with(first))) return *over;
    // At its end, as the container has ended and is not started again for a tenth of a second.
    if (spec.log.driver != kNoLog && !spec.terminal) TRY(open_log());
    while (true) {
      TRY(await_finished(store_, record_));
      const Result<store::ContainerRecord> now = store::find_container(store_.db(), record_.id);
      if (log_ && !TRY(show_log(*log_))) return kUnread;
      if (!now && now.error().code == Code::not_found) return last_;
      if (!now) return std::unexpected(now.error());
      record_ = *now;
      if (record_.state == store::kExited) return status();
      if (const auto over = TRY(go_on())) return *over;
    }
  }

 private:
  Result<> open_log() {
    Result<LogReader> log = LogReader::open(store_, record_.id);
    // It has been removed meanwhile.
    if (!log && log.error().code == Code::not_found) return {};
    log_ = TRY(std::move(log));
    TRY(log_->skip_to_tail(0));
    options_.log = &*log_;
    return {};
  }

  [[nodiscard]] Result<int> status() const {
    if (record_.exit_status) return static_cast<int>(*record_.exit_status);
    return monitor_lost();
  }

  void note(int signal) {
    if (const Result<> noted = note_signal(store_, record_, signal); !noted)
      log::warn("that container {} was stopped is not on record: {}", record_.name, noted.error().message);
  }

  // For as long as it runs; gives the command's exit status if this was all.
  Result<std::optional<int>> stay_with(Session& session) {
    const Attachment attachment = TRY(attach(session, signals_, options_));
    if (attachment.left == Left::detached) return 0;
    if (attachment.left == Left::unread) return kUnread;
    if (attachment.left == Left::interrupted) return kSignalled + attachment.signal;
    if (attachment.left == Left::ended) {
      last_ = attachment.exited.status;
      if (attachment.exited.oom_killed) log::warn("{}", out_of_memory_text(record_, last_));
    }
    session.channel.close();
    if (attachment.unread) return last_;
    if (attachment.left == Left::lost && !ends_soon(session.monitor.get())) return left_behind(record_);
    return std::nullopt;
  }

  // It runs, or will in a while.
  Result<std::optional<int>> go_on() {
    // While it is being started its monitor does not listen yet; one that is at its end does no more.
    Result<Session> session = join(store_, record_, options_.log == nullptr);
    if (!session && session.error().code != Code::conflict) return std::unexpected(session.error());
    if (!session) {
      if (record_.state == store::kRestarting) TRY(wait());
      return std::nullopt;
    }
    if (options_.terminal) {
      const monitor::TerminalSize size = terminal_size();
      const auto resize = monitor::pack_value(monitor::Kind::resize, size);
      if (size.rows != 0) [[maybe_unused]]
        const Result<> sent = session->channel.send(resize);
    }
    return stay_with(*session);
  }

  // A moment, for the process that is to start it again.
  Result<> wait() {
    constexpr int kLookMs = 50;
    pollfd signalled{signals_.fd(), POLLIN, 0};
    if (::poll(&signalled, 1, kLookMs) > 0) return take_signals();
    if (record_.state != store::kRestarting || ++looks_ % kLooksAtWaiter != 0) return {};
    // Whoever waits has the lock; if nobody has it, that process was lost.
    const bool lost = lock_container(store_, record_).has_value();
    return lost ? resume_restart(store_, record_.id) : Result<>{};
  }

  Result<> take_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.fd(), &info, sizeof info) == sizeof info) {
      const auto signal = static_cast<int>(info.ssi_signo);
      if (!options_.forward_signals || signal == SIGWINCH) continue;
      note(signal);
      const store::ContainerRecord now = TRY(store::find_container(store_.db(), record_.id));
      if (!now.stopped_by_user) continue;
      const StopOptions how = TRY(stop_options(store_, now, std::nullopt));
      TRY(stop_container(store_, now, how));
    }
    return {};
  }

  static constexpr unsigned kLooksAtWaiter = 20;
  store::Store& store_;
  store::ContainerRecord record_;
  const CallerSignals& signals_;
  AttachOptions options_;
  std::optional<LogReader> log_;
  int last_ = 0;  // exit status
  unsigned looks_ = 0;
};

}  // namespace

Result<int> attach_over_restarts(store::Store& store, const store::ContainerRecord& record, Session& session,
                                 const CallerSignals& signals, const AttachOptions& options) {
  return Stay(store, record, signals, options).run(session);
}

}  // namespace berth::engine
