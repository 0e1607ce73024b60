// Carries bytes and signals between the client and the container until the container has ended.
#pragma once

#include <string>

#include <signal.h>

#include "monitor/log_file.h"
#include "monitor/streams.h"
#include "runtime/container.h"
#include "sys/channel.h"

namespace berth::monitor {

class Relay {
 public:
  Relay(sys::Channel& client, sys::UniqueFd log) : client_(client), log_(std::move(log)) {}

  // Returns how the container's PID 1 ended, after all of its output has been logged and sent. While a client
  // is attached and does not read, the container's output waits; a client that is gone holds nothing up.
  Result<siginfo_t> run(runtime::RunningContainer& container, OutsideStreams streams);

 private:
  void read_client(const runtime::RunningContainer& container);
  void write_input();
  void end_input();
  // Reads once; closes the descriptor at its end. False if there was nothing to read.
  bool carry_output(sys::UniqueFd& from, bool is_error);
  void drain();
  // A client that is not reading has as much as it can take; the monitor does not wait in a write, so that it
  // still hears signals and input.
  bool client_is_full();
  void send(std::string_view message);

  sys::Channel& client_;
  LogFile log_;
  sys::UniqueFd input_;  // the pipe to the container, or its terminal
  sys::UniqueFd output_;
  sys::UniqueFd error_;
  bool terminal_ = false;
  bool input_ended_ = false;
  bool client_full_ = false;
  std::string pending_input_;
};

}  // namespace berth::monitor
