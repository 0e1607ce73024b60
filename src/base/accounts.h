// The text of passwd and group files, as glibc and musl read it. Pure; the text comes from an image and is
// hostile.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace berth {

// More than any real file has; longer ones are refused before they are read.
inline constexpr size_t kMaxAccountFileBytes = size_t{1} << 20;

// One entry; the views point into the text.
struct PasswdEntry {
  std::string_view name, password, gecos, home, shell;
  uint32_t uid = 0;
  uint32_t gid = 0;
};
struct GroupEntry {
  std::string_view name, password, members;  // members: comma-separated
  uint32_t gid = 0;
};

// Goes through the entries of a file. Lines that glibc's "files" passes over are passed over: empty ones,
// comments, lines without a UID or GID, compat entries (+ and -), and fields end at a NUL byte. IDs that are
// no ID (more than 4294967294, or with a minus) make a line that can't be meant, which is passed over too:
// glibc would cut them to 4294967295, and others have cut them to 0.
class PasswdReader {
 public:
  explicit PasswdReader(std::string_view text) : rest_(text) {}
  std::optional<PasswdEntry> next();

 private:
  std::string_view rest_;
};

class GroupReader {
 public:
  explicit GroupReader(std::string_view text) : rest_(text) {}
  std::optional<GroupEntry> next();

 private:
  std::string_view rest_;
};

// The first entry counts, as everywhere.
std::optional<PasswdEntry> find_user(std::string_view passwd, std::string_view name);
std::optional<PasswdEntry> find_user(std::string_view passwd, uint32_t uid);
std::optional<GroupEntry> find_group(std::string_view group, std::string_view name);
std::optional<GroupEntry> find_group(std::string_view group, uint32_t gid);

bool has_member(const GroupEntry& group, std::string_view user);

// An ID as a person or an image writes it: decimal digits only, up to 4294967294, whatever the number of
// leading zeros.
bool is_number(std::string_view text);  // all digits, and at least one
Result<uint32_t> parse_id(std::string_view digits);

}  // namespace berth
