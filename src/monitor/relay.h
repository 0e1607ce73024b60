// Carries bytes and signals between the clients and the container until the container has ended.
#pragma once

#include <array>
#include <deque>
#include <string>

#include <signal.h>

#include "monitor/clients.h"
#include "monitor/health_timer.h"
#include "monitor/log_file.h"
#include "monitor/oom_teller.h"
#include "monitor/protocol.h"
#include "monitor/streams.h"
#include "runtime/container.h"
#include "sys/channel.h"

namespace berth::monitor {

class Relay {
 public:
  // More clients come to the socket `listener` (control_socket.h).
  Relay(Clients& clients, sys::UniqueFd listener, LogFile& log, HealthTimer& health, OomTeller& memory)
      : clients_(clients), listener_(std::move(listener)), log_(log), health_(health), memory_(memory) {}

  // Returns how the container's PID 1 ended. A client that is gone holds nothing up, one that does not read
  // as long as clients.h says.
  Result<siginfo_t> run(runtime::RunningContainer& container, OutsideStreams streams);

  // After run(): what is in the pipes still. All processes of the container are gone, so it is all there will
  // be.
  void drain();

 private:
  // Input of one client's, for the container to take.
  struct Input {
    uint32_t client = 0;
    std::string bytes;
  };

  // One round of waiting; true when the process has ended.
  Result<bool> look(int process, int signals);
  void welcome();
  void read_client(uint32_t number, int process);
  void take(Client& client, Kind kind, std::string_view payload, int process);
  void leave(uint32_t number);
  void write_input();
  void end_input();
  [[nodiscard]] bool takes_input() const { return input_.valid() && !input_ended_; }
  // Reads once; closes the descriptor at its end. False if there was nothing to read.
  bool carry_output(sys::UniqueFd& from, bool is_error);

  Clients& clients_;
  sys::UniqueFd listener_;
  LogFile& log_;
  HealthTimer& health_;
  OomTeller& memory_;
  sys::UniqueFd input_;  // the pipe to the container, or its terminal
  sys::UniqueFd output_;
  sys::UniqueFd error_;
  bool terminal_ = false;
  bool input_ended_ = false;
  std::deque<Input> pending_input_;
  std::string message_;               // the kind, and what was read
  std::array<bool, 2> reads_much_{};  // by stream: a lot has come at once
};

}  // namespace berth::monitor
