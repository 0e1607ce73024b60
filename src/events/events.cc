#include "events/events.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "sys/file.h"

namespace berth::events {

namespace {

bool needs_escape(char byte) {
  return byte == '"' || byte == '\\' || (byte >= 0 && byte < ' ') || byte == '\x7F';
}

// A JSON string. What is no UTF-8, and controls that are not ASCII's, come as printable() shows them.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    if (needs_escape(text.front())) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(text.front()));
      text.remove_prefix(1);
      continue;
    }
    const auto plain =
        static_cast<size_t>(std::find_if(text.begin(), text.end(), needs_escape) - text.begin());
    for (const char byte : printable(text.substr(0, plain)))
      out += byte == '\\' ? "\\\\" : std::string(1, byte);
    text.remove_prefix(plain);
  }
  return out + '"';
}

Result<sys::UniqueFd> open_current(int root) {
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW;
  const std::string path = fmt::format("{}/{}", kDirectory, kCurrentFile);
  Result<sys::UniqueFd> file = sys::open_at(root, path, kFlags, 0600);
  if (file || file.error().err != ENOENT) return file;
  TRY(sys::ensure_dir_at(root, kDirectory, 0700));
  return sys::open_at(root, path, kFlags, 0600);
}

// The file's size if it is still the current one; nullopt if another writer has put it aside.
Result<std::optional<int64_t>> size_if_current(int root, int file) {
  struct stat own{};
  if (::fstat(file, &own) != 0) return fail_errno(errno, "stat the events");
  // The name alone would do, but for a writer that was stopped between opening and locking it.
  if (own.st_nlink == 0) return std::nullopt;
  const Result<struct stat> named =
      sys::stat_at(root, fmt::format("{}/{}", kDirectory, kCurrentFile), AT_SYMLINK_NOFOLLOW);
  if (!named || named->st_ino != own.st_ino || named->st_dev != own.st_dev) return std::nullopt;
  return own.st_size;
}

// Whoever writes has the file locked shared, so what is put aside gets no more lines. Somebody who is writing
// at this moment leaves it to the next writer.
void put_aside(int root, int file) {
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) return;
  const Result<std::optional<int64_t>> size = size_if_current(root, file);
  if (!size || size->value_or(0) < kLargestFile) return;
  const std::string current = fmt::format("{}/{}", kDirectory, kCurrentFile);
  const std::string previous = fmt::format("{}/{}", kDirectory, kPreviousFile);
  if (::renameat(root, current.c_str(), root, previous.c_str()) != 0)
    log::debug("put the events aside: {}", describe_errno(errno));
}

// Opened and locked shared.
Result<sys::UniqueFd> lock_current(int root) {
  while (true) {
    sys::UniqueFd file = TRY(open_current(root));
    while (::flock(file.get(), LOCK_SH) != 0) {
      if (errno != EINTR) return fail_errno(errno, "lock the events");
    }
    const std::optional<int64_t> size = TRY(size_if_current(root, file.get()));
    if (size && *size < kLargestFile) return file;
    if (!size) continue;
    put_aside(root, file.get());
    // Where it could not be put aside (somebody else is writing) it grows by a line.
    if (::flock(file.get(), LOCK_SH) == 0 && TRY(size_if_current(root, file.get()))) return file;
  }
}

}  // namespace

std::string_view type_name(Type type) {
  switch (type) {
    case Type::container:
      return "container";
    case Type::image:
      return "image";
    case Type::volume:
      return "volume";
    case Type::network:
      return "network";
  }
  return "container";
}

std::string line(const Event& event) {
  std::string text =
      fmt::format(R"({}{},"type":"{}","action":{},"id":{},"name":{},"image":{},"attributes":{{)", kLineBegin,
                  event.time != 0 ? event.time : now_nanoseconds(), type_name(event.type),
                  quoted(event.action), quoted(event.id), quoted(event.name), quoted(event.image));
  bool first = true;
  for (const Attribute& attribute : event.attributes) {
    // The blank: a first attribute "time" is not to look as the beginning of a line.
    const std::string added =
        fmt::format("{}{}:{}", first ? " " : ",", quoted(attribute.key), quoted(attribute.value));
    constexpr std::string_view kEnd = "}}\n";
    if (text.size() + added.size() + kEnd.size() > kLongestLine) break;
    text += added;
    first = false;
  }
  return text + "}}\n";
}

Result<> append(int root, const Event& event) {
  const std::string text = line(event);
  const sys::UniqueFd file = TRY(lock_current(root));
  const ssize_t written = ::write(file.get(), text.data(), text.size());
  if (written < 0) return fail_errno(errno, "write an event");
  if (static_cast<size_t>(written) < text.size()) return fail_errno(ENOSPC, "write an event");
  return {};
}

void record(int root, const Event& event) {
  if (const Result<> appended = append(root, event); !appended)
    log::debug("the event {} is not recorded: {}", event.action, appended.error().message);
}

}  // namespace berth::events
