#include "transfer/pax_header.h"

#include <array>
#include <limits>

#include "unpack/limits.h"
#include "unpack/tar_header.h"

namespace berth::transfer {

namespace {

using unpack::EntryType;
using unpack::kTarBlock;
using unpack::TarEntry;

constexpr size_t kNameLength = 100;
constexpr uint64_t kLargestNumber = (1U << 21) - 1;         // seven octal digits
constexpr uint64_t kLargestSize = (uint64_t{1} << 33) - 1;  // eleven

char type_of(EntryType type) {
  switch (type) {
    case EntryType::file:
      return '0';
    case EntryType::hard_link:
      return '1';
    case EntryType::symlink:
      return '2';
    case EntryType::character_device:
      return '3';
    case EntryType::block_device:
      return '4';
    case EntryType::directory:
      return '5';
    case EntryType::fifo:
      return '6';
  }
  return '0';
}

// A record begins with its own length, which counts too.
std::string record(std::string_view key, std::string_view value) {
  const size_t rest = key.size() + value.size() + 3;  // " ", "=" and the newline
  size_t length = rest + 1;
  while (std::to_string(length).size() + rest != length) length = std::to_string(length).size() + rest;
  return fmt::format("{} {}={}\n", length, key, value);
}

std::string pax_time(timespec time) {
  constexpr long kSecond = 1'000'000'000;
  const bool negative = time.tv_sec < 0;
  if (negative && time.tv_nsec > 0) time = {time.tv_sec + 1, kSecond - time.tv_nsec};
  const int64_t seconds = negative ? -time.tv_sec : time.tv_sec;
  const std::string whole = fmt::format("{}{}", negative ? "-" : "", seconds);
  return time.tv_nsec == 0 ? whole : fmt::format("{}.{:09}", whole, time.tv_nsec);
}

bool fits_block(timespec time) {
  return time.tv_sec >= 0 && time.tv_nsec == 0 && static_cast<uint64_t>(time.tv_sec) <= kLargestSize;
}

struct Block {
  char type = '0';
  std::string path;
  std::string target;
  uint64_t mode = 0;
  uint64_t uid = 0;
  uint64_t gid = 0;
  uint64_t size = 0;
  uint64_t mtime = 0;
  uint64_t major = 0;
  uint64_t minor = 0;
};

// What does not fit is zero, or cut off, and in the extended header.
std::string text_of(const Block& block) {
  const auto number = [](uint64_t value, size_t digits, uint64_t largest) {
    return fmt::format("{:0{}o}", value <= largest ? value : 0, digits) + '\0';
  };
  std::string text = block.path.substr(0, kNameLength);
  text.resize(kNameLength);
  text += number(block.mode, 7, kLargestNumber) + number(block.uid, 7, kLargestNumber) +
          number(block.gid, 7, kLargestNumber) + number(block.size, 11, kLargestSize) +
          number(block.mtime, 11, kLargestSize);
  text += std::string(8, ' ') + block.type;
  text += block.target.substr(0, kNameLength);
  text.resize(257);
  text += std::string("ustar\00000", 8);
  text.resize(329);  // no names of users and groups
  text += number(block.major, 7, kLargestNumber) + number(block.minor, 7, kLargestNumber);
  text.resize(kTarBlock);
  unsigned sum = 0;
  for (const char c : text) sum += static_cast<unsigned char>(c);
  constexpr size_t kChecksum = 148;
  text.replace(kChecksum, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return text;
}

void fill_block(std::string& text) {
  text.resize(text.size() + archive_padding(text.size()));
}

std::string sparse_map(const TarEntry& entry) {
  if (!entry.sparse) return {};
  std::vector<unpack::Segment> segments = entry.segments;
  const uint64_t end = segments.empty() ? 0 : segments.back().offset + segments.back().length;
  // GNU tar makes the file as long as the last piece says, an empty one if need be.
  if (end < entry.size) segments.push_back({entry.size, 0});
  std::string map = fmt::format("{}\n", segments.size());
  for (const unpack::Segment& segment : segments)
    map += fmt::format("{}\n{}\n", segment.offset, segment.length);
  fill_block(map);
  return map;
}

Result<std::string> extended_records(const TarEntry& entry, const Block& block) {
  std::string text;
  const auto add = [&text](std::string_view key, std::string_view value) { text += record(key, value); };
  if (entry.sparse) {
    add("GNU.sparse.major", "1");
    add("GNU.sparse.minor", "0");
    add("GNU.sparse.name", entry.path);
    add("GNU.sparse.realsize", std::to_string(entry.size));
  } else if (entry.path.size() > kNameLength) {
    add("path", entry.path);
  }
  if (block.target.size() > kNameLength) add("linkpath", block.target);
  if (block.uid > kLargestNumber) add("uid", std::to_string(block.uid));
  if (block.gid > kLargestNumber) add("gid", std::to_string(block.gid));
  if (block.size > kLargestSize) add("size", std::to_string(block.size));
  if (!fits_block(entry.mtime)) add("mtime", pax_time(entry.mtime));
  for (const auto& [name, value] : entry.xattrs) {
    if (name.find('=') != std::string::npos)
      return fail(Code::refused, "/{} has the extended attribute {}, whose name no archive can hold",
                  entry.path, name);
    add("SCHILY.xattr." + name, value);
  }
  constexpr size_t kMost = unpack::Limits{}.extended_header_bytes;
  if (text.size() > kMost)
    return fail(Code::refused, "/{} has {} bytes of extended attributes, and at most {} fit into an archive",
                entry.path, text.size(), kMost);
  return text;
}

}  // namespace

uint64_t archived_bytes(const TarEntry& entry) {
  if (entry.type != EntryType::file) return 0;
  if (!entry.sparse) return entry.size;
  uint64_t bytes = 0;
  for (const unpack::Segment& segment : entry.segments) bytes += segment.length;
  return bytes;
}

size_t archive_padding(uint64_t bytes) {
  return static_cast<size_t>((kTarBlock - bytes % kTarBlock) % kTarBlock);
}

std::string archive_end() {
  return std::string(2 * kTarBlock, '\0');
}

Result<std::string> archive_header(const TarEntry& entry) {
  const std::string map = sparse_map(entry);
  Block block{.type = type_of(entry.type),
              .path = entry.path,
              .target = entry.target,
              .mode = entry.mode,
              .uid = entry.uid,
              .gid = entry.gid,
              .size = archived_bytes(entry) + map.size(),
              .mtime = fits_block(entry.mtime) ? static_cast<uint64_t>(entry.mtime.tv_sec) : 0,
              .major = entry.device_major,
              .minor = entry.device_minor};
  // Who does not know sparse files is not to take the map for the file.
  if (entry.sparse) block.path = "GNUSparseFile.0/file";
  std::string records = TRY(extended_records(entry, block));
  std::string text;
  if (!records.empty()) {
    text = text_of({.type = 'x', .path = "PaxHeaders.0/entry", .mode = 0644, .size = records.size()});
    text += records;
    fill_block(text);
  }
  return text + text_of(block) + map;
}

}  // namespace berth::transfer
