#include "unpack/tar_reader.h"

#include <algorithm>
#include <cstring>

#include "base/fields.h"

namespace berth::unpack {

namespace {
constexpr std::string_view kXattrPrefix = "SCHILY.xattr.";

uint64_t padding_of(uint64_t size) {
  return (kTarBlock - size % kTarBlock) % kTarBlock;
}

std::unexpected<Error> cut_off() {
  return fail(Code::refused, "the archive ends in the middle of an entry");
}

// Types whose size field says nothing: no data follows.
bool is_header_only(char type) {
  return type >= '1' && type <= '6';
}
}  // namespace

void TarReader::consume(size_t bytes) {
  chunk_ = chunk_.subspan(bytes);
  position_ += bytes;
}

Result<bool> TarReader::fill() {
  if (chunk_.empty()) chunk_ = TRY(source_.next());
  return !chunk_.empty();
}

Result<bool> TarReader::read_block(std::array<std::byte, kTarBlock>& block) {
  size_t have = 0;
  while (have < kTarBlock) {
    if (!TRY(fill())) {
      if (have == 0) return false;
      return cut_off();
    }
    const size_t n = std::min(kTarBlock - have, chunk_.size());
    std::memcpy(block.data() + have, chunk_.data(), n);
    consume(n);
    have += n;
  }
  return true;
}

Result<std::string> TarReader::read_text(uint64_t size, size_t limit, std::string_view what) {
  if (size > limit) return fail(Code::refused, "{} has {} bytes, and at most {} are read", what, size, limit);
  std::string text;
  text.reserve(size);
  while (text.size() < size) {
    if (!TRY(fill())) return cut_off();
    const size_t n = std::min<size_t>(size - text.size(), chunk_.size());
    text.append(reinterpret_cast<const char*>(chunk_.data()), n);
    consume(n);
  }
  TRY(skip(padding_of(size)));
  return text;
}

Result<> TarReader::skip(uint64_t bytes) {
  while (bytes > 0) {
    if (chunk_.empty()) {
      const uint64_t passed = TRY(source_.skip(bytes));
      bytes -= passed;
      position_ += passed;
      if (bytes == 0) break;
    }
    if (!TRY(fill())) return cut_off();
    const size_t n = std::min<uint64_t>(bytes, chunk_.size());
    consume(n);
    bytes -= n;
  }
  return {};
}

// Some writers (umoci insert) leave the padding of the last entry away; false at such an end.
Result<bool> TarReader::skip_padding() {
  while (padding_ > 0) {
    if (!TRY(fill())) return false;
    const size_t n = std::min<uint64_t>(padding_, chunk_.size());
    consume(n);
    padding_ -= n;
  }
  return true;
}

Result<> TarReader::drain() {
  chunk_ = {};
  while (TRY(fill())) chunk_ = {};
  return {};
}

Result<bool> TarReader::next(TarEntry& entry) {
  TRY(skip(data_left_));
  const bool at_end = !TRY(skip_padding());
  data_left_ = padding_ = 0;
  if (at_end) return false;
  segments_.clear();
  Extensions extensions;
  extensions.room = limits_.extended_header_bytes;
  bool extended = false;
  while (true) {
    std::array<std::byte, kTarBlock> block{};
    // Some writers leave the two blocks of zeroes at the end away.
    if (!TRY(read_block(block)) || is_zero_block(block)) {
      if (extended) return cut_off();
      return false;
    }
    if (++entries_ > limits_.entries) {
      return fail(Code::refused, "the archive has more than {} entries", limits_.entries);
    }
    TarHeader header = TRY(parse_tar_header(block));
    const auto size = static_cast<uint64_t>(header.size);
    if (header.type == 'g') {
      TRY(read_text(size, limits_.extended_header_bytes, "a global header"));
      continue;
    }
    extended = true;
    if (header.type == 'x') {
      TRY(read_pax(size, extensions));
    } else if (header.type == 'L' || header.type == 'K') {
      std::string text = TRY(read_text(size, extensions.room, "a long name"));
      extensions.room -= text.size();
      text.resize(std::min(text.size(), text.find('\0')));
      (header.type == 'L' ? extensions.long_path : extensions.long_target) = std::move(text);
    } else {
      TRY(make_entry(header, extensions, entry));
      if (header.type == 'S') TRY(read_gnu_sparse(block, entry));
      if (entry.sparse) TRY(check_sparse(entry));
      segments_ = entry.sparse ? entry.segments : std::vector<Segment>{{0, data_left_}};
      segment_ = 0;
      segment_done_ = 0;
      return true;
    }
  }
}

Result<> TarReader::read_pax(uint64_t size, Extensions& extensions) {
  const std::string data = TRY(read_text(size, extensions.room, "an extended header"));
  extensions.room -= data.size();
  return parse_pax_records(data, [&](std::string_view key, std::string_view value) -> Result<> {
    const bool is_xattr = key.starts_with(kXattrPrefix);
    // An extended attribute's value is any bytes; all other keys and values are text.
    if (key.find('\0') != std::string_view::npos ||
        (!is_xattr && value.find('\0') != std::string_view::npos)) {
      return fail(Code::refused, "an extended header holds a NUL byte in \"{}\"", key);
    }
    if (is_xattr) {
      extensions.xattrs.emplace_back(key.substr(kXattrPrefix.size()), value);
    } else if (key == "GNU.sparse.offset" || key == "GNU.sparse.numbytes") {
      extensions.sparse_numbers.emplace_back(value);
    } else if (value.empty()) {
      extensions.pax.erase(std::string(key));
    } else {
      extensions.pax.insert_or_assign(std::string(key), std::string(value));
    }
    return {};
  });
}

Result<TarReader::Data> TarReader::read_data() {
  while (segment_ < segments_.size() && segment_done_ == segments_[segment_].length) {
    ++segment_;
    segment_done_ = 0;
  }
  if (data_left_ == 0 || segment_ == segments_.size()) return Data{};
  if (!TRY(fill())) return cut_off();
  const Segment& segment = segments_[segment_];
  const size_t n = std::min<uint64_t>({chunk_.size(), data_left_, segment.length - segment_done_});
  const Data data{segment.offset + segment_done_, chunk_.first(n)};
  consume(n);
  data_left_ -= n;
  segment_done_ += n;
  return data;
}

namespace {

Result<EntryType> type_of(const TarHeader& header) {
  switch (header.type) {
    case '\0':
    case '0':
      // How tar marked directories before it had a type for them.
      return header.path.ends_with('/') ? EntryType::directory : EntryType::file;
    case '7':
    case 'S':
      return EntryType::file;
    case '1':
      return EntryType::hard_link;
    case '2':
      return EntryType::symlink;
    case '3':
      return EntryType::character_device;
    case '4':
      return EntryType::block_device;
    case '5':
      return EntryType::directory;
    case '6':
      return EntryType::fifo;
    default:
      return fail(Code::refused, "\"{}\" is of the unknown type {:#04x}", header.path,
                  static_cast<unsigned>(static_cast<unsigned char>(header.type)));
  }
}

Result<uint32_t> checked_id(int64_t id, std::string_view what, const std::string& path) {
  // 2^32-1 is the kernel's "no ID".
  constexpr int64_t kLargest = 0xFFFFFFFE;
  if (id < 0 || id > kLargest) {
    return fail(Code::refused, "the {} {} of \"{}\" is not between 0 and {}", what, id, path, kLargest);
  }
  return static_cast<uint32_t>(id);
}

}  // namespace

Result<> TarReader::apply_pax(Extensions& extensions, TarHeader& header, TarEntry& entry) {
  if (!extensions.long_path.empty()) header.path = extensions.long_path;
  if (!extensions.long_target.empty()) header.target = extensions.long_target;
  PaxRecords& pax = extensions.pax;
  const auto number = [&](std::string_view key, int64_t& value) -> Result<> {
    const auto found = pax.find(key);
    if (found == pax.end()) return {};
    const std::optional<uint64_t> parsed = whole_number<uint64_t>(found->second);
    if (!parsed || *parsed > INT64_MAX) {
      return fail(Code::refused, "the {} of \"{}\" is not a number: \"{}\"", key, header.path, found->second);
    }
    value = static_cast<int64_t>(*parsed);
    return {};
  };
  if (const auto found = pax.find("path"); found != pax.end()) header.path = found->second;
  if (const auto found = pax.find("linkpath"); found != pax.end()) header.target = found->second;
  if (const auto found = pax.find("GNU.sparse.name"); found != pax.end()) header.path = found->second;
  TRY(number("uid", header.uid));
  TRY(number("gid", header.gid));
  TRY(number("size", header.size));
  entry.mtime = timespec{header.mtime, 0};
  if (const auto found = pax.find("mtime"); found != pax.end()) {
    const std::optional<timespec> time = parse_pax_time(found->second);
    if (!time) return fail(Code::refused, "the time of \"{}\" is not a number", header.path);
    entry.mtime = *time;
  }
  return {};
}

Result<> TarReader::make_entry(const TarHeader& given, Extensions& extensions, TarEntry& entry) {
  entry = TarEntry{};
  TarHeader header = given;
  TRY(apply_pax(extensions, header, entry));
  entry.type = TRY(type_of(header));
  entry.path = std::move(header.path);
  entry.target = std::move(header.target);
  entry.mode = static_cast<mode_t>(header.mode & 07777);
  entry.uid = TRY(checked_id(header.uid, "owner", entry.path));
  entry.gid = TRY(checked_id(header.gid, "group", entry.path));
  entry.xattrs = std::move(extensions.xattrs);
  // What Linux's dev_t has room for.
  if (header.device_major < 0 || header.device_major >= 1 << 12 || header.device_minor < 0 ||
      header.device_minor >= 1 << 20) {
    return fail(Code::refused, "the device number {}:{} of \"{}\" does not exist on Linux",
                header.device_major, header.device_minor, entry.path);
  }
  entry.device_major = static_cast<uint32_t>(header.device_major);
  entry.device_minor = static_cast<uint32_t>(header.device_minor);
  data_left_ = is_header_only(header.type) ? 0 : static_cast<uint64_t>(header.size);
  padding_ = padding_of(data_left_);
  if (entry.type != EntryType::file) return {};
  entry.size = data_left_;
  if (header.type != 'S') TRY(read_pax_sparse(extensions, entry));
  return {};
}

}  // namespace berth::unpack
