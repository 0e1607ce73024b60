#include "cli/event_feed.h"

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include "events/events.h"
#include "sys/file.h"

namespace berth::cli {

namespace {

using Json = nlohmann::json;

std::string path_of(const char* file) {
  return fmt::format("{}/{}", events::kDirectory, file);
}

// 0 if it is not there.
uint64_t inode_of(int root, const char* file) {
  const Result<struct stat> st = sys::stat_at(root, path_of(file), AT_SYMLINK_NOFOLLOW);
  return st ? st->st_ino : 0;
}

std::string text_of(const Json& document, const char* key) {
  const auto found = document.find(key);
  return found != document.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::optional<PastEvent> parse_event(std::string_view line) {
  const size_t begin = line.rfind(events::kLineBegin);
  if (begin == std::string_view::npos) return std::nullopt;
  const Json document = Json::parse(line.substr(begin), nullptr, false);
  const auto time = document.is_object() ? document.find("time") : document.end();
  if (!document.is_object() || time == document.end() || !time->is_number_integer()) return std::nullopt;
  PastEvent event{.time = time->get<int64_t>(),
                  .type = text_of(document, "type"),
                  .action = text_of(document, "action"),
                  .id = text_of(document, "id"),
                  .name = text_of(document, "name"),
                  .image = text_of(document, "image"),
                  .attributes = {}};
  if (const auto attributes = document.find("attributes");
      attributes != document.end() && attributes->is_object()) {
    for (const auto& [key, value] : attributes->items()) {
      if (value.is_string()) event.attributes.emplace(key, value.get<std::string>());
    }
  }
  return event;
}

Result<EventFeed> EventFeed::open(const store::Store& store, From from) {
  // Before the first event there is no directory.
  TRY(sys::ensure_dir_at(store.root(), events::kDirectory, 0700));
  EventFeed feed(store.root(), TRY(sys::DirectoryWatch::open(store.root(), events::kDirectory)));
  if (from == From::now) {
    const bool there = TRY(feed.open_next());
    // The first file may be the older one.
    if (there && feed.inode_ == inode_of(feed.root_, events::kPreviousFile)) TRY(feed.open_next());
    if (feed.file_ && ::lseek(feed.file_.get(), 0, SEEK_END) < 0) return fail_errno(errno, "read the events");
  }
  return feed;
}

// What comes after the present file: one that was put aside is followed by the current one. One that has been
// put aside and is gone, because others came after it, is followed by the oldest that is there.
Result<bool> EventFeed::open_next() {
  const uint64_t current = inode_of(root_, events::kCurrentFile);
  if (inode_ != 0 && current == inode_) return false;
  const uint64_t previous = inode_of(root_, events::kPreviousFile);
  const bool older_first = previous != 0 && previous != inode_;
  Result<sys::UniqueFd> file = sys::open_at(
      root_, path_of(older_first ? events::kPreviousFile : events::kCurrentFile), O_RDONLY | O_NOFOLLOW);
  if (!file && file.error().err == ENOENT) return false;
  if (!file) return std::unexpected(file.error());
  // Between the two looks it may have been put aside: what was opened counts.
  inode_ = TRY(sys::stat_at(file->get(), "", AT_EMPTY_PATH)).st_ino;
  file_ = std::move(*file);
  unread_.clear();
  return true;
}

Result<bool> EventFeed::read_more() {
  constexpr size_t kChunk = size_t{64} << 10;
  if (!file_) return false;
  const size_t before = unread_.size();
  unread_.resize(before + kChunk);
  ssize_t n = 0;
  do {
    n = ::read(file_.get(), unread_.data() + before, kChunk);
  } while (n < 0 && errno == EINTR);
  unread_.resize(before + static_cast<size_t>(std::max<ssize_t>(n, 0)));
  if (n < 0) return fail_errno(errno, "read the events");
  // A line without an end is no line of ours.
  if (unread_.size() > 4 * events::kLongestLine + kChunk) unread_.clear();
  return n > 0;
}

Result<std::optional<PastEvent>> EventFeed::next() {
  while (true) {
    const size_t end = unread_.find('\n');
    if (end != std::string::npos) {
      std::optional<PastEvent> event = parse_event(std::string_view(unread_).substr(0, end));
      unread_.erase(0, end + 1);
      if (event) return event;
      continue;
    }
    if (TRY(read_more())) continue;
    // Whoever puts a file aside waits until those who write to it have done so: once it is no longer the
    // current one, a last look finds all of it.
    const bool put_aside = file_ && inode_of(root_, events::kCurrentFile) != inode_;
    if (put_aside && TRY(read_more())) continue;
    if (!TRY(open_next())) return std::nullopt;
  }
}

}  // namespace berth::cli
