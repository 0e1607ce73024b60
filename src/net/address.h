// Addresses of IPv4 and IPv6, ranges of them, and the arithmetic of both. Pure.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::net {

class Address {
 public:
  // 0.0.0.0.
  constexpr Address() = default;
  // "10.88.0.2", "fd00::2"; no zone, no leading zeros, and no IPv4 address written as IPv6's
  // (::ffff:10.88.0.2).
  static std::optional<Address> parse(std::string_view text);
  // In the host's byte order.
  static constexpr Address v4(uint32_t value) { return {false, 0, value}; }
  static constexpr Address v6(uint64_t high, uint64_t low) { return {true, high, low}; }
  // 4 or 16 bytes in the network's order; nullopt for another number of them.
  static std::optional<Address> from_bytes(std::string_view bytes);

  [[nodiscard]] constexpr bool is_v6() const { return v6_; }
  [[nodiscard]] constexpr unsigned bits() const { return v6_ ? 128 : 32; }
  // AF_INET or AF_INET6.
  [[nodiscard]] int family() const;
  // 4 or 16 of them, in the network's order.
  [[nodiscard]] std::string bytes() const;
  [[nodiscard]] constexpr uint64_t high() const { return high_; }
  [[nodiscard]] constexpr uint64_t low() const { return low_; }
  [[nodiscard]] std::string text() const;
  // 32 hexadecimal digits, those of IPv4 after 24 zeros. As texts, those of one family are in the order of
  // the addresses.
  [[nodiscard]] std::string key() const;
  static std::optional<Address> from_key(std::string_view key, bool v6);

  // nullopt beyond the last address of the family, and before the first.
  [[nodiscard]] std::optional<Address> plus(uint64_t offset) const;
  [[nodiscard]] std::optional<Address> minus(uint64_t offset) const;

  [[nodiscard]] bool is_unspecified() const;
  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool is_multicast() const;
  [[nodiscard]] bool is_link_local() const;

  // IPv4 before IPv6.
  friend constexpr auto operator<=>(const Address&, const Address&) = default;

  // For wire/archive.h.
  template <typename A>
  void fields(A& a) {
    a(v6_, high_, low_);
  }

 private:
  constexpr Address(bool v6, uint64_t high, uint64_t low) : v6_(v6), high_(high), low_(low) {}
  bool v6_ = false;
  uint64_t high_ = 0;  // of IPv6: the first 64 bits
  uint64_t low_ = 0;   // the others; of IPv4 all 32
};

// "10.88.0.0/16": all addresses that begin with the same `prefix` bits.
class Subnet {
 public:
  constexpr Subnet() = default;
  // The one that `address` lies in. nullopt for a prefix longer than the address.
  static std::optional<Subnet> containing(const Address& address, unsigned prefix);
  // ADDRESS/PREFIX; bits of the address beyond the prefix do not count.
  static std::optional<Subnet> parse(std::string_view text);

  [[nodiscard]] const Address& first() const { return first_; }
  [[nodiscard]] Address last() const;
  [[nodiscard]] unsigned prefix() const { return prefix_; }
  [[nodiscard]] bool is_v6() const { return first_.is_v6(); }
  [[nodiscard]] std::string text() const;

  [[nodiscard]] bool contains(const Address& address) const;
  [[nodiscard]] bool contains(const Subnet& other) const;
  [[nodiscard]] bool overlaps(const Subnet& other) const;

  // What an interface can have: neither IPv4's network and broadcast addresses nor IPv6's anycast address of
  // the routers (RFC 4291, 2.6.1); of /31, /32, /127 and /128 all.
  [[nodiscard]] Address first_usable() const;
  [[nodiscard]] Address last_usable() const;
  [[nodiscard]] bool is_usable(const Address& address) const;

  // The part with the longer `prefix` that comes after `index` others; nullopt where there are not so many.
  [[nodiscard]] std::optional<Subnet> part(unsigned prefix, uint64_t index) const;

  friend constexpr auto operator<=>(const Subnet&, const Subnet&) = default;

  template <typename A>
  void fields(A& a) {
    a(first_, prefix_);
  }

 private:
  constexpr Subnet(const Address& first, uint32_t prefix) : first_(first), prefix_(prefix) {}
  Address first_{};
  uint32_t prefix_ = 0;
};

// The first address from `from` to `last`, both included, that is not in `taken`, which is in ascending
// order.
std::optional<Address> first_free(const Address& from, const Address& last,
                                  const std::vector<Address>& taken);

// Of Ethernet.
class MacAddress {
 public:
  // 00:00:00:00:00:00, which no interface has.
  constexpr MacAddress() = default;
  // "02:42:0a:58:00:02", of one interface: no group address, and not all zeros.
  static std::optional<MacAddress> parse(std::string_view text);
  // A locally administered one that goes with an address, so that two containers of a network never have the
  // same.
  static MacAddress for_address(const Address& address);
  explicit constexpr MacAddress(const std::array<uint8_t, 6>& bytes) : bytes_(bytes) {}
  [[nodiscard]] const std::array<uint8_t, 6>& bytes() const { return bytes_; }
  [[nodiscard]] std::string text() const;
  friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) = default;

  template <typename A>
  void fields(A& a) {
    for (uint8_t& byte : bytes_) a(byte);
  }

 private:
  std::array<uint8_t, 6> bytes_{};
};

}  // namespace berth::net
