// The four ways in which GNU tar writes a sparse file: a map in the header (old GNU format), and the pax
// forms 0.0 (repeated records), 0.1 (one record) and 1.0 (a map in front of the data).
#include <algorithm>
#include <cstring>

#include "base/fields.h"
#include "unpack/tar_reader.h"

namespace berth::unpack {

namespace {
// The old GNU header: four pairs at 386, then "more follows" and the real size. Blocks that follow hold 21
// pairs.
constexpr size_t kPairsOffset = 386;
constexpr size_t kPairsInHeader = 4;
constexpr size_t kMoreInHeader = 482;
constexpr size_t kRealSize = 483;
constexpr size_t kPairsInBlock = 21;
constexpr size_t kMoreInBlock = 504;
constexpr size_t kNumber = 12;

std::unexpected<Error> bad_map(const TarEntry& entry) {
  return fail(Code::refused, "the sparse map of \"{}\" is malformed", entry.path);
}
}  // namespace

Result<> TarReader::add_segment(TarEntry& entry, uint64_t offset, uint64_t length) {
  if (entry.segments.size() >= limits_.sparse_segments) {
    return fail(Code::refused, "the sparse file \"{}\" has more than {} pieces", entry.path,
                limits_.sparse_segments);
  }
  entry.segments.push_back(Segment{offset, length});
  return {};
}

Result<> TarReader::read_gnu_sparse(std::span<const std::byte, kTarBlock> block, TarEntry& entry) {
  const auto number = [](std::span<const std::byte, kTarBlock> from, size_t offset) {
    return parse_tar_number({reinterpret_cast<const char*>(from.data()) + offset, kNumber});
  };
  const auto add_pairs = [&](std::span<const std::byte, kTarBlock> from, size_t begin,
                             size_t count) -> Result<> {
    for (size_t i = 0; i < count; ++i) {
      const size_t at = begin + i * 2 * kNumber;
      if (from[at] == std::byte{0}) return {};
      const std::optional<int64_t> offset = number(from, at);
      const std::optional<int64_t> length = number(from, at + kNumber);
      if (!offset || !length || *offset < 0 || *length < 0) return bad_map(entry);
      TRY(add_segment(entry, static_cast<uint64_t>(*offset), static_cast<uint64_t>(*length)));
    }
    return {};
  };
  entry.sparse = true;
  const std::optional<int64_t> size = number(block, kRealSize);
  if (!size || *size < 0) return bad_map(entry);
  entry.size = static_cast<uint64_t>(*size);
  TRY(add_pairs(block, kPairsOffset, kPairsInHeader));
  bool more = block[kMoreInHeader] != std::byte{0};
  while (more) {
    std::array<std::byte, kTarBlock> next{};
    if (!TRY(read_block(next))) return bad_map(entry);
    TRY(add_pairs(next, 0, kPairsInBlock));
    more = next[kMoreInBlock] != std::byte{0};
    // A block without a pair that says "more follows" would let a map go on for ever.
    if (more && next[0] == std::byte{0}) return bad_map(entry);
  }
  return {};
}

Result<> TarReader::read_pax_sparse(const Extensions& extensions, TarEntry& entry) {
  const PaxRecords& pax = extensions.pax;
  const auto value = [&](std::string_view key) -> std::string_view {
    const auto found = pax.find(key);
    return found == pax.end() ? std::string_view{} : std::string_view(found->second);
  };
  const bool version_1 = value("GNU.sparse.major") == "1" && value("GNU.sparse.minor") == "0";
  std::string_view map = value("GNU.sparse.map");
  if (!version_1 && map.empty() && extensions.sparse_numbers.empty()) return {};
  const std::string_view size_text = version_1 ? value("GNU.sparse.realsize") : value("GNU.sparse.size");
  const std::optional<uint64_t> size = whole_number<uint64_t>(size_text);
  if (!size) return bad_map(entry);
  entry.sparse = true;
  entry.size = *size;
  if (version_1) return read_sparse_map_1_0(entry);
  std::vector<uint64_t> numbers;
  for (const std::string& text : extensions.sparse_numbers) {
    const std::optional<uint64_t> number = whole_number<uint64_t>(text);
    if (!number) return bad_map(entry);
    numbers.push_back(*number);
  }
  if (!map.empty()) numbers.clear();
  while (!map.empty()) {
    const size_t comma = std::min(map.find(','), map.size());
    const std::optional<uint64_t> number = whole_number<uint64_t>(map.substr(0, comma));
    if (!number) return bad_map(entry);
    numbers.push_back(*number);
    map.remove_prefix(std::min(comma + 1, map.size()));
  }
  if (numbers.size() % 2 != 0) return bad_map(entry);
  for (size_t i = 0; i < numbers.size(); i += 2) TRY(add_segment(entry, numbers[i], numbers[i + 1]));
  return {};
}

Result<> TarReader::read_sparse_map_1_0(TarEntry& entry) {
  // Decimal lines: how many pairs, then offset and length of each; filled up to a whole block.
  std::array<std::byte, kTarBlock> block{};
  size_t at = kTarBlock;
  const auto next_number = [&]() -> Result<uint64_t> {
    constexpr size_t kDigits = 20;
    std::string digits;
    while (digits.size() <= kDigits) {
      if (at == kTarBlock) {
        if (data_left_ < kTarBlock || !TRY(read_block(block))) return bad_map(entry);
        data_left_ -= kTarBlock;
        at = 0;
      }
      const char c = static_cast<char>(block[at++]);
      if (c == '\n') break;
      digits += c;
    }
    const std::optional<uint64_t> number = whole_number<uint64_t>(digits);
    if (!number) return bad_map(entry);
    return *number;
  };
  const uint64_t count = TRY(next_number());
  if (count > limits_.sparse_segments) {
    return fail(Code::refused, "the sparse file \"{}\" has more than {} pieces", entry.path,
                limits_.sparse_segments);
  }
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t offset = TRY(next_number());
    const uint64_t length = TRY(next_number());
    TRY(add_segment(entry, offset, length));
  }
  return {};
}

Result<> TarReader::check_sparse(const TarEntry& entry) {
  uint64_t end = 0;
  uint64_t total = 0;
  for (const Segment& segment : entry.segments) {
    if (segment.offset < end || segment.offset > entry.size || segment.length > entry.size - segment.offset) {
      return bad_map(entry);
    }
    end = segment.offset + segment.length;
    total += segment.length;
  }
  if (total != data_left_) return bad_map(entry);
  return {};
}

}  // namespace berth::unpack
