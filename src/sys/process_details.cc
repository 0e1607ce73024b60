#include "sys/process_details.h"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <fcntl.h>
#include <unistd.h>

#include "base/fields.h"
#include "sys/file.h"
#include "sys/process_stat.h"

namespace berth::sys {

namespace {

constexpr size_t kLongestStatus = size_t{1} << 20;  // groups: 65,536 of eleven bytes

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

// The next word, whatever blanks are before it.
std::string_view take_word(std::string_view& text) {
  text = trimmed(text);
  const size_t end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

template <typename T>
std::vector<T> numbers(std::string_view text) {
  std::vector<T> found;
  while (true) {
    const auto number = whole_number<T>(take_word(text));
    if (!number) return found;
    found.push_back(*number);
  }
}

void take_ids(std::string_view text, std::array<uint32_t, 4>& into) {
  const std::vector<uint32_t> found = numbers<uint32_t>(text);
  std::copy_n(found.begin(), std::min(found.size(), into.size()), into.begin());
}

uint64_t hexadecimal(std::string_view text) {
  uint64_t value = 0;
  constexpr int kBase = 16;
  std::from_chars(text.data(), text.data() + text.size(), value, kBase);
  return value;
}

void take_status_line(std::string_view key, std::string_view value, ProcessDetails& details) {
  constexpr std::array<std::string_view, 5> kSets{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
  constexpr int64_t kKibi = 1024;
  if (key == "Uid") take_ids(value, details.uids);
  if (key == "Gid") take_ids(value, details.gids);
  if (key == "Groups") details.groups = numbers<uint32_t>(value);
  if (key == "NSpid") details.pids = numbers<pid_t>(value);
  if (key == "VmRSS") details.resident_memory = whole_number<int64_t>(take_word(value)).value_or(0) * kKibi;
  if (key == "Seccomp") details.seccomp = whole_number<int>(value).value_or(0);
  for (size_t i = 0; i < kSets.size(); ++i) {
    if (key == kSets[i]) details.capabilities[i] = hexadecimal(value);
  }
}

bool take_stat(std::string_view text, ProcessDetails& details) {
  const std::optional<StatFields> stat = split_process_stat(text);
  if (!stat) return false;
  // proc_pid_stat(5).
  enum : size_t {
    kState = 3,
    kParent = 4,
    kGroup = 5,
    kTty = 7,
    kUser = 14,
    kSystem = 15,
    kNice = 19,
    kStart = 22,
    kVirtual = 23
  };
  const auto number = [&](size_t field) { return whole_number<int64_t>(stat->field(field)).value_or(0); };
  details.pid = stat->pid;
  details.name = stat->name;
  details.state = stat->field(kState).empty() ? '?' : stat->field(kState).front();
  details.parent = static_cast<pid_t>(number(kParent));
  details.group = static_cast<pid_t>(number(kGroup));
  details.tty = static_cast<unsigned>(number(kTty));
  details.user_time = number(kUser);
  details.system_time = number(kSystem);
  details.nice = number(kNice);
  details.start = number(kStart);
  details.virtual_memory = number(kVirtual);
  return true;
}

// As far as it is of use to people.
std::string read_arguments(int directory) {
  constexpr size_t kLongest = 4096;
  const Result<UniqueFd> file = open_at(directory, "cmdline", O_RDONLY);
  if (!file) return {};
  std::string text(kLongest, '\0');
  const ssize_t n = ::read(file->get(), text.data(), text.size());
  text.resize(n > 0 ? static_cast<size_t>(n) : 0);
  while (!text.empty() && text.back() == '\0') text.pop_back();
  for (char& byte : text) byte = byte == '\0' ? ' ' : byte;
  return text;
}

}  // namespace

std::optional<ProcessDetails> parse_process_details(std::string_view status, std::string_view stat) {
  ProcessDetails details;
  if (!take_stat(stat, details)) return std::nullopt;
  while (!status.empty()) {
    std::string_view value = take_until(status, '\n');
    const std::string_view key = take_until(value, ':');
    take_status_line(key, trimmed(value), details);
  }
  if (details.pids.empty()) details.pids = {details.pid};
  return details;
}

Result<ProcessDetails> read_process_details(pid_t pid) {
  // Its directory stands for one process for ever.
  const Result<UniqueFd> directory = open_at(AT_FDCWD, fmt::format("/proc/{}", pid), O_RDONLY | O_DIRECTORY);
  if (!directory) return fail_errno(ESRCH, "look at the process {}", pid);
  const Result<std::string> status = read_file_at(directory->get(), "status", kLongestStatus);
  const Result<std::string> stat = read_file_at(directory->get(), "stat", kLongestStatus);
  if (!status || !stat) return fail_errno(ESRCH, "look at the process {}", pid);
  std::optional<ProcessDetails> details = parse_process_details(*status, *stat);
  if (!details) return fail("/proc/{} is not as expected", pid);
  details->arguments = read_arguments(directory->get());
  return std::move(*details);
}

}  // namespace berth::sys
