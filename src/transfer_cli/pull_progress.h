// What a person sees of a pull: bars on a terminal, lines elsewhere, on standard error.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "transfer/pull.h"

namespace berth::transfer_cli {

enum class ProgressStyle { quiet, lines, bars };

// Bars if standard error is a terminal that can move its cursor, lines otherwise.
ProgressStyle progress_style(bool quiet);

// The cursor is never hidden and stands below the bars between updates, so a signal may end the process at
// any time.
class PullProgress : public transfer::PullObserver {
 public:
  explicit PullProgress(ProgressStyle style);
  PullProgress(const PullProgress&) = delete;
  PullProgress& operator=(const PullProgress&) = delete;
  ~PullProgress() override;

  void begin(const oci::Reference& reference, const oci::Manifest& manifest) override;
  void received(size_t layer, size_t bytes) override;
  void ready(size_t layer, bool was_present) override;
  // A request failed and is tried again.
  void retrying(const Error& failed, std::chrono::milliseconds wait);

 private:
  enum class State { waiting, fetching, unpacking, ready, present };
  struct Layer {
    std::string name;
    uint64_t size = 0;
    uint64_t received = 0;
    State state = State::waiting;
  };
  [[nodiscard]] std::string line_of(const Layer& layer, size_t width) const;
  [[nodiscard]] std::string total_line(size_t width) const;
  void draw();
  // Draws what has changed, ten times a second, so that no reader of a layer waits for the terminal.
  void keep_drawing(const std::stop_token& stop);
  void say(const std::string& line);

  ProgressStyle style_;
  std::mutex mutex_;
  std::vector<Layer> layers_;
  size_t lines_drawn_ = 0;
  bool changed_ = false;
  std::condition_variable_any wake_;
  std::jthread drawer_;  // for bars only
};

// "12.3 MB": powers of 1000, three digits.
std::string human_bytes(uint64_t bytes);

}  // namespace berth::transfer_cli
