#include "transfer/tar_writer.h"

#include <array>
#include <vector>

#include "sys/file.h"
#include "unpack/tar_header.h"

namespace berth::transfer {

namespace {
constexpr size_t kPiece = 256 << 10;
constexpr uint64_t kLargestOctalSize = (uint64_t{1} << 33) - 1;

std::string size_field(uint64_t size) {
  if (size <= kLargestOctalSize) return fmt::format("{:011o}", size) + '\0';
  std::string field(12, '\0');
  field[0] = '\x80';
  for (size_t i = 0; i < sizeof size; ++i) field[11 - i] = static_cast<char>(size >> (8 * i));
  return field;
}
}  // namespace

Result<> TarWriter::header(const std::string& path, uint64_t size) {
  constexpr size_t kNameLength = 100;
  if (path.size() > kNameLength) return fail("the name {} is too long for an archive", path);
  std::string block = path;
  block.resize(kNameLength);
  // mode, owner, group, size, time, checksum, type, link, magic, version; no names, no devices, no prefix.
  block += std::string("0000644\0000000000\0000000000\0", 24) + size_field(size) +
           std::string("00000000000\0", 12);
  block += "        0" + std::string(100, '\0') + std::string("ustar\00000", 8);
  block.resize(unpack::kTarBlock);
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  constexpr size_t kChecksum = 148;
  block.replace(kChecksum, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return sys::write_all(fd_, block);
}

Result<> TarWriter::pad(uint64_t size) {
  const size_t rest = size % unpack::kTarBlock;
  if (rest == 0) return {};
  return sys::write_all(fd_, std::string(unpack::kTarBlock - rest, '\0'));
}

Result<> TarWriter::add(const std::string& path, std::string_view content) {
  TRY(header(path, content.size()));
  TRY(sys::write_all(fd_, content));
  return pad(content.size());
}

Result<> TarWriter::add(const std::string& path, uint64_t size, ByteSource& source) {
  TRY(header(path, size));
  std::vector<std::byte> piece(kPiece);
  uint64_t written = 0;
  while (true) {
    const size_t n = TRY(source.read(piece));
    if (n == 0) break;
    written += n;
    if (written > size) break;
    TRY(sys::write_all(fd_, {reinterpret_cast<const char*>(piece.data()), n}));
  }
  if (written != size) return fail("{} has not the {} bytes that it should have", path, size);
  return pad(size);
}

Result<> TarWriter::finish() {
  return sys::write_all(fd_, std::string(2 * unpack::kTarBlock, '\0'));
}

}  // namespace berth::transfer
