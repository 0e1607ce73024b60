// Builds tar archives byte by byte, also such as no tool would write.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace berth::test {

class TarBuilder {
 public:
  struct Member {
    std::string path;
    char type = '0';
    std::string data = {};
    std::string target = {};
    int64_t mode = 0644;
    int64_t uid = 0;
    int64_t gid = 0;
    int64_t mtime = 1'700'000'000;
    int64_t device_major = 0;
    int64_t device_minor = 0;
    int64_t size = -1;  // in the header; that of data if negative
    std::vector<std::pair<std::string, std::string>> pax = {};
  };

  TarBuilder& add(const Member& member) {
    if (!member.pax.empty()) add_pax(member.pax);
    append(member);
    return *this;
  }
  TarBuilder& dir(std::string_view path, int64_t mode = 0755) {
    return add({.path = std::string(path), .type = '5', .mode = mode});
  }
  TarBuilder& file(std::string_view path, std::string_view data) {
    return add({.path = std::string(path), .data = std::string(data)});
  }
  TarBuilder& link(std::string_view path, std::string_view target) {
    return add({.path = std::string(path), .type = '2', .target = std::string(target)});
  }
  TarBuilder& hard_link(std::string_view path, std::string_view target) {
    return add({.path = std::string(path), .type = '1', .target = std::string(target)});
  }
  TarBuilder& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }

  // With the two blocks of zeroes at the end.
  [[nodiscard]] std::string str() const { return bytes_ + std::string(1024, '\0'); }
  [[nodiscard]] std::string unfinished() const { return bytes_; }

  static std::string pax_record(std::string_view key, std::string_view value) {
    const size_t rest = key.size() + value.size() + 3;
    size_t length = rest + 1;
    while (std::to_string(length).size() + rest != length) ++length;
    return fmt::format("{} {}={}\n", length, key, value);
  }

 private:
  static std::string number(int64_t value, size_t width) {
    if (value >= 0 && static_cast<uint64_t>(value) < (uint64_t{1} << (3 * (width - 1)))) {
      return fmt::format("{:0{}o}", value, width - 1) + '\0';
    }
    std::string out(width, value < 0 ? '\xff' : '\0');
    for (size_t i = 0; i < 8 && i < width; ++i) {
      out[width - 1 - i] = static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
    }
    out[0] = static_cast<char>(static_cast<unsigned char>(out[0]) | 0x80U);
    return out;
  }
  static std::string padded(std::string text, size_t width) {
    text.resize(width);
    return text;
  }
  void add_pax(const std::vector<std::pair<std::string, std::string>>& records) {
    std::string data;
    for (const auto& [key, value] : records) data += pax_record(key, value);
    append({.path = "PaxHeaders/x", .type = 'x', .data = data});
  }
  void append(const Member& m) {
    if (m.path.size() > 100) append({.path = "././@LongLink", .type = 'L', .data = m.path + '\0'});
    if (m.target.size() > 100) append({.path = "././@LongLink", .type = 'K', .data = m.target + '\0'});
    const int64_t size = m.size >= 0 ? m.size : static_cast<int64_t>(m.data.size());
    std::string block = padded(m.path, 100) + number(m.mode, 8) + number(m.uid, 8) + number(m.gid, 8) +
                        number(size, 12) + number(m.mtime, 12) + "        " + m.type + padded(m.target, 100) +
                        std::string(
                            "ustar\0"
                            "00",
                            8) +
                        std::string(64, '\0') + number(m.device_major, 8) + number(m.device_minor, 8);
    block.resize(512);
    unsigned sum = 0;
    for (const char c : block) sum += static_cast<unsigned char>(c);
    block.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
    bytes_ += block + m.data;
    bytes_.resize((bytes_.size() + 511) / 512 * 512);
  }
  std::string bytes_;
};

}  // namespace berth::test
