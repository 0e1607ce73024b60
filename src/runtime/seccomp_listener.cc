#include "runtime/seccomp_listener.h"

#include <atomic>
#include <ctime>

#include <pthread.h>

#include "sys/unique_fd.h"

namespace berth::runtime {

namespace {

constexpr int kNotYet = -1;
constexpr int kNone = -2;

struct Handover {
  const ListenerTaker& take;
  std::atomic<int> listener = kNotYet;
  Result<> outcome;
};

// A look every 50 µs for the half millisecond that loading takes: to be woken up, it would need a system call
// of the other.
void await(const std::atomic<int>& listener) {
  constexpr long kPauseNs = 50'000;
  const timespec pause{0, kPauseNs};
  while (listener.load() == kNotYet) ::nanosleep(&pause, nullptr);
}

void* hand_over(void* argument) {
  auto& handover = *static_cast<Handover*>(argument);
  await(handover.listener);
  if (handover.listener == kNone) return nullptr;
  const sys::UniqueFd listener(handover.listener);
  handover.outcome = handover.take(listener.get());
  return nullptr;
}

}  // namespace

Result<> load_with_listener(const std::function<Result<int>()>& load, const ListenerTaker& take) {
  if (!take) return fail("the seccomp filter has SCMP_ACT_NOTIFY, and there is no way to the agent");
  Handover handover{take, kNotYet, {}};
  pthread_t thread{};
  if (const int err = ::pthread_create(&thread, nullptr, hand_over, &handover); err != 0)
    return fail_errno(err, "make a thread for the seccomp listener");
  const Result<int> listener = load();
  handover.listener = listener ? *listener : kNone;
  ::pthread_join(thread, nullptr);
  if (!listener) return std::unexpected(listener.error());
  return handover.outcome;
}

}  // namespace berth::runtime
