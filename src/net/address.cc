#include "net/address.h"

#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include "base/fields.h"
#include "base/letter_case.h"

namespace berth::net {

namespace {

constexpr uint64_t kAll = ~uint64_t{0};
constexpr uint64_t kLastV4 = 0xFFFFFFFF;

struct Pair {
  uint64_t high = 0;
  uint64_t low = 0;
};

// The bits of an address that are not its prefix.
Pair host_mask(const Address& address, unsigned prefix) {
  const unsigned bits = address.bits() - prefix;
  if (bits >= 128) return {kAll, kAll};
  if (bits > 64) return {kAll >> (128 - bits), kAll};
  if (bits == 64) return {0, kAll};
  return {0, bits == 0 ? 0 : kAll >> (64 - bits)};
}

Address make(bool v6, uint64_t high, uint64_t low) {
  return v6 ? Address::v6(high, low) : Address::v4(static_cast<uint32_t>(low));
}

void append_bytes(std::string& out, uint64_t value, int count) {
  for (int shift = (count - 1) * 8; shift >= 0; shift -= 8)
    out += static_cast<char>(static_cast<uint8_t>(value >> shift));
}

uint64_t number_of(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

std::optional<uint64_t> hexadecimal(std::string_view digits) {
  uint64_t value = 0;
  for (const char c : digits) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) return std::nullopt;
    value = value << 4 | static_cast<uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return value;
}

// ::ffff:0:0/96: nothing on a wire has such an address (RFC 4291, 2.5.5.2).
bool is_v4_in_disguise(const Address& address) {
  return address.is_v6() && address.high() == 0 && address.low() >> 32 == 0xFFFF;
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string terminated(text);
  std::array<char, 16> bytes{};
  if (::inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) return from_bytes({bytes.data(), 4});
  if (::inet_pton(AF_INET6, terminated.c_str(), bytes.data()) != 1) return std::nullopt;
  const std::optional<Address> address = from_bytes({bytes.data(), 16});
  if (address && is_v4_in_disguise(*address)) return std::nullopt;
  return address;
}

std::optional<Address> Address::from_bytes(std::string_view bytes) {
  if (bytes.size() == 4) return v4(static_cast<uint32_t>(number_of(bytes)));
  if (bytes.size() == 16) return v6(number_of(bytes.substr(0, 8)), number_of(bytes.substr(8)));
  return std::nullopt;
}

int Address::family() const {
  return v6_ ? AF_INET6 : AF_INET;
}

std::string Address::bytes() const {
  std::string bytes;
  if (v6_) append_bytes(bytes, high_, 8);
  append_bytes(bytes, low_, v6_ ? 8 : 4);
  return bytes;
}

std::string Address::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(family(), bytes().data(), text.data(), text.size());
}

std::string Address::key() const {
  return fmt::format("{:016x}{:016x}", high_, low_);
}

std::optional<Address> Address::from_key(std::string_view key, bool v6) {
  constexpr size_t kHalf = 16;
  if (key.size() != 2 * kHalf) return std::nullopt;
  const auto high = hexadecimal(key.substr(0, kHalf));
  const auto low = hexadecimal(key.substr(kHalf));
  if (!high || !low || (!v6 && (*high != 0 || *low > kLastV4))) return std::nullopt;
  return make(v6, *high, *low);
}

std::optional<Address> Address::plus(uint64_t offset) const {
  const uint64_t low = low_ + offset;
  if (!v6_) return low < low_ || low > kLastV4 ? std::nullopt : std::optional(make(false, 0, low));
  const uint64_t high = high_ + (low < low_ ? 1 : 0);
  return high < high_ ? std::nullopt : std::optional(make(true, high, low));
}

std::optional<Address> Address::minus(uint64_t offset) const {
  const bool borrows = offset > low_;
  if (borrows && (!v6_ || high_ == 0)) return std::nullopt;
  return make(v6_, high_ - (borrows ? 1 : 0), low_ - offset);
}

bool Address::is_unspecified() const {
  return high_ == 0 && low_ == 0;
}

bool Address::is_loopback() const {
  return v6_ ? high_ == 0 && low_ == 1 : low_ >> 24 == 127;
}

bool Address::is_multicast() const {
  return v6_ ? high_ >> 56 == 0xFF : low_ >> 28 == 0xE;
}

bool Address::is_link_local() const {
  return v6_ ? high_ >> 54 == 0xFE80 >> 6 : low_ >> 16 == 0xA9FE;
}

std::optional<Subnet> Subnet::containing(const Address& address, unsigned prefix) {
  if (prefix > address.bits()) return std::nullopt;
  const Pair mask = host_mask(address, prefix);
  return Subnet(make(address.is_v6(), address.high() & ~mask.high, address.low() & ~mask.low), prefix);
}

std::optional<Subnet> Subnet::parse(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::optional<Address> address = Address::parse(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  const auto prefix = whole_number<unsigned>(digits);
  const bool leading_zero = digits.size() > 1 && digits.front() == '0';
  if (!address || !prefix || leading_zero) return std::nullopt;
  const std::optional<Subnet> subnet = containing(*address, *prefix);
  // One that ends among those has last addresses that are none.
  if (subnet && is_v4_in_disguise(subnet->last())) return std::nullopt;
  return subnet;
}

Address Subnet::last() const {
  const Pair mask = host_mask(first_, prefix_);
  return make(is_v6(), first_.high() | mask.high, first_.low() | mask.low);
}

std::string Subnet::text() const {
  return fmt::format("{}/{}", first_.text(), prefix_);
}

bool Subnet::contains(const Address& address) const {
  return address.is_v6() == is_v6() && first_ <= address && address <= last();
}

bool Subnet::contains(const Subnet& other) const {
  return contains(other.first_) && contains(other.last());
}

bool Subnet::overlaps(const Subnet& other) const {
  return contains(other.first_) || other.contains(first_);
}

Address Subnet::first_usable() const {
  if (prefix_ + 1 >= first_.bits()) return first_;
  return *first_.plus(1);
}

Address Subnet::last_usable() const {
  if (is_v6() || prefix_ + 1 >= first_.bits()) return last();
  return *last().minus(1);
}

bool Subnet::is_usable(const Address& address) const {
  return contains(address) && first_usable() <= address && address <= last_usable();
}

std::optional<Subnet> Subnet::part(unsigned prefix, uint64_t index) const {
  if (prefix < prefix_ || prefix > first_.bits()) return std::nullopt;
  const unsigned width = prefix - prefix_;
  if (width < 64 && index >> width != 0) return std::nullopt;
  const unsigned shift = first_.bits() - prefix;
  uint64_t high = 0;
  uint64_t low = 0;
  if (shift >= 64) {
    high = shift == 128 ? 0 : index << (shift - 64);
  } else {
    low = index << shift;
    high = shift == 0 ? 0 : index >> (64 - shift);
  }
  return Subnet(make(is_v6(), first_.high() | high, first_.low() | low), prefix);
}

std::optional<Address> first_free(const Address& from, const Address& last,
                                  const std::vector<Address>& taken) {
  std::optional<Address> candidate = from;
  for (const Address& held : taken) {
    if (held < *candidate) continue;
    if (held != *candidate) break;
    candidate = candidate->plus(1);
    if (!candidate) return std::nullopt;
  }
  return *candidate <= last ? candidate : std::nullopt;
}

std::optional<MacAddress> MacAddress::parse(std::string_view text) {
  constexpr size_t kLength = 17;
  if (text.size() != kLength) return std::nullopt;
  std::array<uint8_t, 6> bytes{};
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = hexadecimal(small(text.substr(i * 3, 2)));
    const bool separated = i == 0 || text[i * 3 - 1] == ':';
    if (!byte || !separated) return std::nullopt;
    bytes[i] = static_cast<uint8_t>(*byte);
  }
  const MacAddress address(bytes);
  const bool group = (bytes[0] & 1U) != 0;
  return group || address == MacAddress() ? std::nullopt : std::optional(address);
}

MacAddress MacAddress::for_address(const Address& address) {
  // The last 40 bits of an IPv6 address: two of one /88 differ in them.
  constexpr uint8_t kLocal = 0x02;
  const uint64_t low = address.low();
  const auto byte = [&](int shift) { return static_cast<uint8_t>(low >> shift); };
  const uint8_t first = address.is_v6() ? byte(32) : uint8_t{0xBE};
  return MacAddress(std::array<uint8_t, 6>{kLocal, first, byte(24), byte(16), byte(8), byte(0)});
}

std::string MacAddress::text() const {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", bytes_[0], bytes_[1], bytes_[2], bytes_[3],
                     bytes_[4], bytes_[5]);
}

}  // namespace berth::net
