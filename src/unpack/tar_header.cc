#include "unpack/tar_header.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/fields.h"

namespace berth::unpack {

namespace {

// Offsets and lengths of POSIX.1-1988's ustar header.
struct Field {
  size_t offset;
  size_t length;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kMtime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr size_t kType = 156;
constexpr Field kTarget{157, 100};
constexpr Field kMagic{257, 8};
constexpr Field kMajor{329, 8};
constexpr Field kMinor{337, 8};
constexpr Field kPrefix{345, 155};
constexpr Field kStarPrefix{345, 131};
constexpr Field kStarTrailer{508, 4};

std::string_view bytes_of(TarBlock block, Field field) {
  return {reinterpret_cast<const char*>(block.data()) + field.offset, field.length};
}

// Text that ends at the first NUL or with the field.
std::string_view text_of(TarBlock block, Field field) {
  const std::string_view bytes = bytes_of(block, field);
  return bytes.substr(0, bytes.find('\0'));
}

// Old archives summed signed characters; both sums are in use.
bool checksum_matches(TarBlock block) {
  int64_t sum = 0;
  int64_t signed_sum = 0;
  for (size_t i = 0; i < kTarBlock; ++i) {
    const bool in_field = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.length;
    const auto byte = in_field ? static_cast<unsigned char>(' ') : std::to_integer<unsigned char>(block[i]);
    sum += byte;
    signed_sum += static_cast<signed char>(byte);
  }
  const std::optional<int64_t> stored = parse_tar_number(bytes_of(block, kChecksum));
  return stored && (*stored == sum || *stored == signed_sum);
}

std::optional<int64_t> parse_base256(std::string_view field) {
  // Two's complement, big-endian; the first bit is only the mark of this form.
  const auto first = static_cast<unsigned char>(field[0]);
  const bool negative = (first & 0x40U) != 0;
  __int128 value = negative ? -1 : 0;
  for (size_t i = 0; i < field.size(); ++i) {
    unsigned byte = static_cast<unsigned char>(field[i]);
    if (i == 0) byte = negative ? (byte | 0x80U) : (byte & 0x7FU);
    value = value * 256 + byte;
    constexpr __int128 kBound = static_cast<__int128>(1) << 100;
    if (value >= kBound || value < -kBound) return std::nullopt;
  }
  if (value > std::numeric_limits<int64_t>::max() || value < std::numeric_limits<int64_t>::min()) {
    return std::nullopt;
  }
  return static_cast<int64_t>(value);
}

}  // namespace

bool is_zero_block(TarBlock block) {
  return std::all_of(block.begin(), block.end(), [](std::byte b) { return b == std::byte{0}; });
}

std::optional<int64_t> parse_tar_number(std::string_view field) {
  if (!field.empty() && (static_cast<unsigned char>(field[0]) & 0x80U) != 0) return parse_base256(field);
  constexpr std::string_view kPadding(" \0", 2);
  const size_t begin = field.find_first_not_of(kPadding);
  if (begin == std::string_view::npos) return 0;
  field.remove_prefix(begin);
  field = field.substr(0, field.find_first_of(kPadding));
  int64_t value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value, 8);
  if (error != std::errc{} || end != field.data() + field.size() || value < 0) return std::nullopt;
  return value;
}

std::optional<timespec> parse_pax_time(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const size_t dot = text.find('.');
  const std::optional<uint64_t> seconds = whole_number<uint64_t>(text.substr(0, dot));
  if (!seconds || *seconds > static_cast<uint64_t>(std::numeric_limits<int64_t>::max() / 2)) {
    return std::nullopt;
  }
  long nanoseconds = 0;
  if (dot != std::string_view::npos) {
    std::string_view decimals = text.substr(dot + 1);
    if (!std::all_of(decimals.begin(), decimals.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      return std::nullopt;
    }
    decimals = decimals.substr(0, 9);
    for (size_t i = 0; i < 9; ++i)
      nanoseconds = nanoseconds * 10 + (i < decimals.size() ? decimals[i] - '0' : 0);
  }
  timespec time{static_cast<time_t>(*seconds), nanoseconds};
  if (negative) {
    time.tv_sec = -time.tv_sec;
    if (nanoseconds > 0) {
      time.tv_sec -= 1;
      time.tv_nsec = 1'000'000'000 - nanoseconds;
    }
  }
  return time;
}

Result<> parse_pax_records(std::string_view data,
                           const std::function<Result<>(std::string_view, std::string_view)>& record) {
  while (!data.empty()) {
    const size_t space = data.find(' ');
    const std::optional<uint64_t> length =
        space == std::string_view::npos ? std::nullopt : whole_number<uint64_t>(data.substr(0, space));
    if (!length || *length > data.size() || *length < space + 3 || data[*length - 1] != '\n') {
      return fail(Code::refused, "an extended header is malformed");
    }
    const std::string_view pair = data.substr(space + 1, *length - space - 2);
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return fail(Code::refused, "an extended header is malformed");
    }
    TRY(record(pair.substr(0, equals), pair.substr(equals + 1)));
    data.remove_prefix(*length);
  }
  return {};
}

Result<TarHeader> parse_tar_header(TarBlock block) {
  if (!checksum_matches(block)) return fail(Code::refused, "a header's checksum is wrong");
  TarHeader header;
  header.type = static_cast<char>(block[kType]);
  const std::string_view magic = bytes_of(block, kMagic);
  const bool posix = magic.starts_with(std::string_view("ustar\0", 6));
  header.gnu = magic == std::string_view("ustar  \0", 8);
  header.path = text_of(block, kName);
  header.target = text_of(block, kTarget);
  if (posix) {
    const bool star = bytes_of(block, kStarTrailer) == std::string_view("tar\0", 4);
    const std::string_view prefix = text_of(block, star ? kStarPrefix : kPrefix);
    if (!prefix.empty()) header.path = fmt::format("{}/{}", prefix, header.path);
  }
  const bool has_device = posix || header.gnu;
  const auto number = [&](Field field, std::string_view name, int64_t& value) -> Result<> {
    const std::optional<int64_t> parsed = parse_tar_number(bytes_of(block, field));
    if (!parsed) return fail(Code::refused, "the {} of \"{}\" is not a number", name, header.path);
    value = *parsed;
    return {};
  };
  TRY(number(kMode, "mode", header.mode));
  TRY(number(kUid, "owner", header.uid));
  TRY(number(kGid, "group", header.gid));
  TRY(number(kSize, "size", header.size));
  TRY(number(kMtime, "time", header.mtime));
  if (header.size < 0) return fail(Code::refused, "the size of \"{}\" is negative", header.path);
  if (has_device && (header.type == '3' || header.type == '4')) {
    TRY(number(kMajor, "device number", header.device_major));
    TRY(number(kMinor, "device number", header.device_minor));
  }
  return header;
}

}  // namespace berth::unpack
