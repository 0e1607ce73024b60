// Freezing: cgroup.freeze of v2 (Linux 5.2), or v1's freezer.
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "cgroup/cgroup.h"
#include "cgroup/control_file.h"
#include "cgroup/patience.h"
#include "sys/file.h"

namespace berth::cgroup {

namespace {

const Cgroup::Part* freezer_of(const Cgroup& cgroup) {
  const Cgroup::Part* v2 = cgroup.v2();
  if (v2 != nullptr && sys::exists_at(v2->fd.get(), "cgroup.freeze")) return v2;
  for (const Cgroup::Part& part : cgroup.parts()) {
    if (part.hierarchy.has("freezer")) return &part;
  }
  return nullptr;
}

Result<const Cgroup::Part*> demand_freezer(const Cgroup& cgroup) {
  const Cgroup::Part* part = freezer_of(cgroup);
  if (part != nullptr) return part;
  Error error{Code::failed, EOPNOTSUPP, "this cgroup can't be frozen", {}};
  return std::unexpected(std::move(error).with_hint(
      "It takes cgroup v2 with Linux 5.2, or the freezer controller of cgroup v1 mounted."));
}

// Changes of cgroup.events wake up who polls it for POLLPRI (cgroup-v2.rst, "[Un]populated Notification").
Result<> wait_v2(const Cgroup::Part& part, bool frozen, Patience& patience) {
  const sys::UniqueFd events = TRY(sys::open_at(part.fd.get(), "cgroup.events", O_RDONLY));
  while (true) {
    std::array<char, 256> text{};
    const ssize_t length = ::pread(events.get(), text.data(), text.size(), 0);
    if (length < 0) return fail_errno(errno, "read {}/cgroup.events", part.shown());
    const std::string_view value = flat_value({text.data(), static_cast<size_t>(length)}, "frozen");
    if (value == (frozen ? "1" : "0")) return {};
    const auto left = patience.left();
    if (left == Wait::zero()) return fail_errno(ETIMEDOUT, "wait for {}", part.shown());
    pollfd polled{.fd = events.get(), .events = POLLPRI, .revents = 0};
    ::poll(&polled, 1, static_cast<int>(left.count()));
  }
}

// FREEZING stays if a process was born meanwhile: it is asked for again, and now and then let go for a moment
// (freezer-subsystem.rst asks for the first).
Result<> wait_v1(const Cgroup::Part& part, const std::string& wanted, Patience& patience) {
  constexpr int kLetGo = 50;
  for (int attempt = 1;; ++attempt) {
    const std::string state = TRY(read_control(part.fd.get(), "freezer.state"));
    if (state == wanted + "\n") return {};
    if (!patience.sleep()) return fail_errno(ETIMEDOUT, "wait for {}", part.shown());
    if (attempt % kLetGo == 0 && wanted == "FROZEN") {
      TRY(sys::write_control_file(part.fd.get(), "freezer.state", "THAWED"));
    }
    TRY(sys::write_control_file(part.fd.get(), "freezer.state", wanted));
  }
}

Result<> turn(const Cgroup::Part& part, bool frozen, Wait whole) {
  Patience patience(whole);
  if (part.v2()) {
    TRY(sys::write_control_file(part.fd.get(), "cgroup.freeze", frozen ? "1" : "0"));
    return wait_v2(part, frozen, patience);
  }
  const std::string wanted = frozen ? "FROZEN" : "THAWED";
  TRY(sys::write_control_file(part.fd.get(), "freezer.state", wanted));
  return wait_v1(part, wanted, patience);
}

}  // namespace

Result<> Cgroup::freeze(Wait patience) const {
  const Part* part = TRY(demand_freezer(*this));
  Result<> outcome = turn(*part, true, patience);
  if (outcome) return {};
  if (outcome.error().err == ETIMEDOUT) {
    [[maybe_unused]] const auto thawed = turn(*part, false, Wait::zero());
    outcome.error().hint =
        "A process in it is deep in the kernel, as in a wait for a disk or a network file system.";
  }
  return std::unexpected(
      std::move(outcome.error()).context(fmt::format("freeze the processes of {}", part->shown())));
}

Result<> Cgroup::thaw(Wait patience) const {
  const Part* part = TRY(demand_freezer(*this));
  Result<> outcome = turn(*part, false, patience);
  // One that has been removed meanwhile has nobody left to thaw.
  if (outcome || outcome.error().err == ENOENT || outcome.error().err == ENODEV) return {};
  if (outcome.error().err == ETIMEDOUT) outcome.error().hint = "A cgroup above it is frozen.";
  return std::unexpected(
      std::move(outcome.error()).context(fmt::format("thaw the processes of {}", part->shown())));
}

Result<bool> Cgroup::frozen() const {
  const Part* part = freezer_of(*this);
  if (part == nullptr) return false;
  if (!part->v2()) return TRY(read_control(part->fd.get(), "freezer.state")) != "THAWED\n";
  const std::string events = TRY(read_control(part->fd.get(), "cgroup.events"));
  return flat_value(events, "frozen") == "1";
}

}  // namespace berth::cgroup
