#include "transfer_cli/pull_progress.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

#include "sys/file.h"

namespace berth::transfer_cli {

namespace {

constexpr std::chrono::milliseconds kBetweenDraws{100};

struct Screen {
  size_t columns = 80;
  size_t rows = 24;
};

Screen screen() {
  Screen out;
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    out.columns = size.ws_col;
    out.rows = size.ws_row;
  }
  return out;
}

void write_stderr(const std::string& text) {
  // Progress that can't be shown is no reason to fail.
  [[maybe_unused]] const Result<> written = sys::write_all(STDERR_FILENO, text);
}

std::string bar(uint64_t done, uint64_t whole, size_t width) {
  const size_t filled = whole == 0
                            ? width
                            : static_cast<size_t>(static_cast<double>(width) * static_cast<double>(done) /
                                                  static_cast<double>(whole));
  return "[" + std::string(std::min(filled, width), '#') + std::string(width - std::min(filled, width), ' ') +
         "]";
}

}  // namespace

std::string human_bytes(uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits{"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  if (unit == 0) return fmt::format("{} B", bytes);
  return value < 99.95 ? fmt::format("{:.1f} {}", value, kUnits[unit])
                       : fmt::format("{:.0f} {}", value, kUnits[unit]);
}

ProgressStyle progress_style(bool quiet) {
  if (quiet) return ProgressStyle::quiet;
  const char* term = std::getenv("TERM");
  const bool can_move = term != nullptr && std::string_view(term) != "dumb" && *term != '\0';
  return ::isatty(STDERR_FILENO) != 0 && can_move ? ProgressStyle::bars : ProgressStyle::lines;
}

PullProgress::PullProgress(ProgressStyle style) : style_(style) {
  if (style_ == ProgressStyle::bars) {
    drawer_ = std::jthread([this](const std::stop_token& stop) { keep_drawing(stop); });
  }
}

PullProgress::~PullProgress() {
  if (!drawer_.joinable()) return;
  drawer_.request_stop();
  drawer_.join();
  draw();
}

void PullProgress::keep_drawing(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (changed_) draw();
    wake_.wait_for(lock, stop, kBetweenDraws, [] { return false; });
  }
}

void PullProgress::begin(const oci::Reference& reference, const oci::Manifest& manifest) {
  const std::lock_guard lock(mutex_);
  uint64_t size = 0;
  layers_.clear();
  lines_drawn_ = 0;
  for (const oci::Descriptor& layer : manifest.layers) {
    layers_.push_back({std::string(layer.digest.short_hex()), layer.size});
    size += layer.size;
  }
  if (style_ == ProgressStyle::quiet) return;
  write_stderr(fmt::format("Pulling {}: {} layer{}, {}\n", reference.full(), layers_.size(),
                           layers_.size() == 1 ? "" : "s", human_bytes(size)));
  draw();
}

void PullProgress::received(size_t index, size_t bytes) {
  const std::lock_guard lock(mutex_);
  Layer& layer = layers_[index];
  layer.received += bytes;
  layer.state = layer.received >= layer.size ? State::unpacking : State::fetching;
  changed_ = true;
}

void PullProgress::ready(size_t index, bool was_present) {
  const std::lock_guard lock(mutex_);
  Layer& layer = layers_[index];
  layer.state = was_present ? State::present : State::ready;
  if (style_ == ProgressStyle::lines) {
    write_stderr(
        fmt::format("{}: {}\n", layer.name, was_present ? "already there" : human_bytes(layer.size)));
  }
  draw();
}

void PullProgress::retrying(const Error& failed, std::chrono::milliseconds wait) {
  const std::lock_guard lock(mutex_);
  if (style_ == ProgressStyle::quiet) return;
  say(fmt::format("{}; trying again in {:.1f} s", printable(failed.message),
                  std::chrono::duration<double>(wait).count()));
}

// A line that stays, above the bars.
void PullProgress::say(const std::string& line) {
  std::string out;
  if (lines_drawn_ > 0) out = fmt::format("\x1b[{}A\x1b[J", lines_drawn_);
  lines_drawn_ = 0;
  write_stderr(out + line + "\n");
  draw();
}

std::string PullProgress::line_of(const Layer& layer, size_t width) const {
  std::string text;
  switch (layer.state) {
    case State::waiting:
      text = fmt::format("{}  waiting", layer.name);
      break;
    case State::present:
      text = fmt::format("{}  already there", layer.name);
      break;
    case State::ready:
      text = fmt::format("{}  done, {}", layer.name, human_bytes(layer.size));
      break;
    case State::unpacking:
      text = fmt::format("{}  unpacking {}", layer.name, human_bytes(layer.size));
      break;
    case State::fetching: {
      const std::string numbers =
          fmt::format("{:>8} of {:>8}", human_bytes(layer.received), human_bytes(layer.size));
      const size_t used = layer.name.size() + 2 + 2 + 2 + numbers.size();
      constexpr size_t kWidestBar = 50;
      const size_t room = width > used + 5 ? std::min(kWidestBar, width - used) : 0;
      text = room > 0 ? fmt::format("{}  {}  {}", layer.name, bar(layer.received, layer.size, room), numbers)
                      : fmt::format("{}  {}", layer.name, numbers);
      break;
    }
  }
  return text.substr(0, width);
}

std::string PullProgress::total_line(size_t width) const {
  Layer total{"all layers  ", 0, 0, State::fetching};
  for (const Layer& layer : layers_) {
    total.size += layer.size;
    const bool done = layer.state == State::ready || layer.state == State::present;
    total.received += done ? layer.size : layer.received;
  }
  return line_of(total, width);
}

void PullProgress::draw() {
  changed_ = false;
  if (style_ != ProgressStyle::bars || layers_.empty()) return;
  const Screen size = screen();
  // One column less than there are: a full line would wrap on some terminals.
  const size_t width = size.columns - 1;
  std::string out;
  if (lines_drawn_ > 0) out += fmt::format("\x1b[{}A", lines_drawn_);
  out += "\r\x1b[J";
  if (layers_.size() + 2 > size.rows) {
    out += total_line(width) + "\n";
    lines_drawn_ = 1;
  } else {
    for (const Layer& layer : layers_) out += line_of(layer, width) + "\n";
    lines_drawn_ = layers_.size();
  }
  write_stderr(out);
}

}  // namespace berth::transfer_cli
