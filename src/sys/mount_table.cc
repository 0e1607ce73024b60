#include "sys/mount_table.h"

#include <algorithm>
#include <charconv>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fields.h"
#include "sys/file.h"

namespace berth::sys {

namespace {

// "\040" is a space, as the kernel writes what would end a field.
std::string unescaped(std::string_view text) {
  constexpr size_t kDigits = 3;
  constexpr int kOctal = 8;
  std::string out;
  while (!text.empty()) {
    unsigned value = 0;
    if (text[0] == '\\' && text.size() > kDigits) {
      const char* end = text.data() + 1 + kDigits;
      if (std::from_chars(text.data() + 1, end, value, kOctal).ptr == end) {
        out += static_cast<char>(value);
        text.remove_prefix(1 + kDigits);
        continue;
      }
    }
    out += text[0];
    text.remove_prefix(1);
  }
  return out;
}

Result<uint64_t> mount_id_in_proc(int fd) {
  constexpr size_t kLargest = size_t{1} << 20;
  constexpr std::string_view kName = "mnt_id:";
  const std::string text = TRY(read_file_at(AT_FDCWD, fmt::format("/proc/self/fdinfo/{}", fd), kLargest));
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view line = take_until(rest, '\n');
    if (!line.starts_with(kName)) continue;
    line.remove_prefix(std::min(line.find_first_not_of("\t ", kName.size()), line.size()));
    if (const auto id = whole_number<uint64_t>(line)) return *id;
  }
  return fail("/proc does not say which mount a file is on");
}

}  // namespace

Result<MountEntry> parse_mount_entry(std::string_view line) {
  constexpr size_t kRoot = 3;
  constexpr size_t kPlace = 4;
  constexpr size_t kOptions = 5;
  MountEntry entry;
  const size_t dash = line.find(" - ");
  if (dash == std::string_view::npos) return fail("a line of the mount table has no file system");
  std::string_view file_system = line.substr(dash + 3);
  entry.type = unescaped(take_until(file_system, ' '));
  take_until(file_system, ' ');  // the source
  entry.options = unescaped(take_until(file_system, ' '));
  line = line.substr(0, dash);
  for (size_t field = 0; !line.empty(); ++field) {
    const std::string_view word = take_until(line, ' ');
    if (field == 0) entry.id = whole_number<uint64_t>(word).value_or(0);
    if (field == 1) entry.parent = whole_number<uint64_t>(word).value_or(0);
    if (field == kRoot) entry.root = unescaped(word);
    if (field == kPlace) entry.place = unescaped(word);
    if (field == kOptions) {
      entry.mount_options = word;
      return entry;
    }
  }
  return fail("a line of the mount table has too few fields");
}

Result<std::vector<MountEntry>> read_mount_table() {
  constexpr size_t kLargest = size_t{64} << 20;
  const std::string text = TRY(read_file_at(AT_FDCWD, "/proc/self/mountinfo", kLargest));
  std::vector<MountEntry> entries;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (!line.empty()) entries.push_back(TRY(parse_mount_entry(line)));
  }
  return entries;
}

Result<uint64_t> mount_id_of(int fd) {
  struct statx found{};
  const int rc = ::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &found);
  if (rc == 0 && (found.stx_mask & STATX_MNT_ID) != 0) return found.stx_mnt_id;
  return mount_id_in_proc(fd);
}

}  // namespace berth::sys
