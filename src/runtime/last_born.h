// A process whose making is the last thing that is done for it: another one, which the container does not
// see, has entered the container and given up all that it had of the host's, and makes it.
//
// That is for a container without a user namespace, but with CAP_SYS_PTRACE: there a process that is not
// dumpable can be traced all the same (ptrace(2), "Ptrace access mode checking"), and one that enters with
// the host's capabilities would give them away. This one never had them. The price is a second process in the
// container's cgroup for a moment, and a fork that the seccomp filter has to allow.
#pragma once

#include <utility>

#include "base/error.h"
#include "sys/process.h"

namespace berth::runtime {

class LastBorn {
 public:
  LastBorn() = default;
  // In the caller, before it makes the process that goes ahead.
  static Result<LastBorn> prepare();
  LastBorn(LastBorn&& other) noexcept : page_(std::exchange(other.page_, nullptr)) {}
  LastBorn& operator=(LastBorn&& other) noexcept {
    std::swap(page_, other.page_);
    return *this;
  }
  LastBorn(const LastBorn&) = delete;
  LastBorn& operator=(const LastBorn&) = delete;
  ~LastBorn();

  [[nodiscard]] bool wanted() const { return page_ != nullptr; }

  // In the one that goes ahead, while it may still do everything: the other is born into this PID namespace,
  // and can't change what it is called outside.
  [[nodiscard]] Result<> go_ahead(int pid_namespace) const;
  // In the one that goes ahead, last of all. It ends; who returns is the other one, the caller's child
  // (clone(2), CLONE_PARENT).
  [[nodiscard]] Result<> be_born() const;

  // In the caller: waits for the end of the one that went ahead, and gives the other. Nothing of it: the
  // first has failed, and has said why.
  [[nodiscard]] Result<> follow(sys::Child& child) const;

 private:
  pid_t* page_ = nullptr;  // shared by the caller and the one that goes ahead, and not by the other
};

}  // namespace berth::runtime
