// Reads what events/events.h writes, and what is still to come.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "store/store.h"
#include "sys/inotify.h"
#include "sys/unique_fd.h"

namespace berth::cli {

struct PastEvent {
  int64_t time = 0;  // nanoseconds since 1970
  std::string type;
  std::string action;
  std::string id;
  std::string name;
  std::string image;
  std::map<std::string, std::string> attributes;
};

// nullopt for a line that is none. A line that was torn may stand before it (events::kLineBegin).
std::optional<PastEvent> parse_event(std::string_view line);

// The lines of the two files in their order, over every rotation.
class EventFeed {
 public:
  enum class From { beginning, now };
  static Result<EventFeed> open(const store::Store& store, From from);

  // The next event that is there; nullopt: none at the moment.
  Result<std::optional<PastEvent>> next();

  // Waits until there may be more. False after `timeout_ms` (-1: never) or at a signal.
  [[nodiscard]] bool wait(int timeout_ms) const { return watch_.wait(timeout_ms); }

 private:
  EventFeed(int root, sys::DirectoryWatch watch) : root_(root), watch_(std::move(watch)) {}
  Result<bool> read_more();
  Result<bool> open_next();

  int root_;  // the store's
  sys::DirectoryWatch watch_;
  sys::UniqueFd file_;
  uint64_t inode_ = 0;  // of the file; 0: none yet
  std::string unread_;
};

}  // namespace berth::cli
