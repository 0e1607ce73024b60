// The 512-byte header block of tar (POSIX ustar, GNU, old v7) and the records of a pax extended header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <time.h>

#include "base/error.h"

namespace berth::unpack {

inline constexpr size_t kTarBlock = 512;
using TarBlock = std::span<const std::byte, kTarBlock>;

struct TarHeader {
  char type = '0';
  bool gnu = false;  // GNU's own layout: no prefix, sparse map in the header
  std::string path;  // with the ustar prefix
  std::string target;
  int64_t mode = 0;
  int64_t uid = 0;
  int64_t gid = 0;
  int64_t size = 0;  // bytes that follow in the archive
  int64_t mtime = 0;
  int64_t device_major = 0;
  int64_t device_minor = 0;
};

bool is_zero_block(TarBlock block);
// Checks the checksum and every number.
Result<TarHeader> parse_tar_header(TarBlock block);

// A numeric field: octal text, or GNU's base-256. Nothing if it is neither or does not fit.
std::optional<int64_t> parse_tar_number(std::string_view field);
// "1700000000.123456789", also negative; more than nine decimals are cut off.
std::optional<timespec> parse_pax_time(std::string_view text);

// Calls `record` with key and value of each record of a pax header ("27 path=some/name\n").
Result<> parse_pax_records(std::string_view data,
                           const std::function<Result<>(std::string_view, std::string_view)>& record);

}  // namespace berth::unpack
