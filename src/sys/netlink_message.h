// Messages of netlink(7) to bytes and back. Written by hand and not by libmnl, which Debian has as a shared
// library alone: the monitor is static and berth loads nothing but the C library, for the loader's work is on
// the way of every start. The reader is for what the kernel says, and yet trusts no length in it.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::sys {

// In the byte order of the network, as nf_tables and addresses have numbers.
template <std::unsigned_integral T>
constexpr T big_endian(T value) {
  return std::endian::native == std::endian::little ? std::byteswap(value) : value;
}

// Requests, one behind another, which are sent as one.
class NetlinkRequests {
 public:
  // Begins a message, behind the one before. `body` is what the family has behind the header: ifinfomsg,
  // nfgenmsg. NLM_F_REQUEST is added to the flags. Messages are numbered from 0 on.
  template <typename Body>
  void message(uint16_t type, uint16_t flags, const Body& body) {
    begin(type, flags);
    append({reinterpret_cast<const char*>(&body), sizeof body});
  }
  void attribute(uint16_t type, std::string_view bytes);
  void text(uint16_t type, std::string_view text);  // with the terminating zero
  template <std::unsigned_integral T>
  void number(uint16_t type, T value) {
    attribute(type, {reinterpret_cast<const char*>(&value), sizeof value});
  }
  // Opens an attribute that holds attributes; the result is what close() takes. `body` comes before them.
  template <typename Body>
  [[nodiscard]] size_t open(uint16_t type, const Body& body) {
    const size_t nest = open(type);
    append({reinterpret_cast<const char*>(&body), sizeof body});
    return nest;
  }
  [[nodiscard]] size_t open(uint16_t type);
  void close(size_t nest);

  // A nest that is longer can't be sent: its length has 16 bits.
  [[nodiscard]] size_t nest_size(size_t nest) const { return bytes_.size() - nest; }

  // Sets a flag (NLM_F_ACK) in the message that was begun last.
  void add_flag(uint16_t flag);

  // With the numbers from `sequence` on in the headers.
  [[nodiscard]] std::string bytes(uint32_t sequence) const;
  [[nodiscard]] size_t count() const { return starts_.size(); }
  [[nodiscard]] uint16_t flags(size_t message) const;

 private:
  void begin(uint16_t type, uint16_t flags);
  void append(std::string_view data);
  void set_message_length();
  std::string bytes_;
  std::vector<size_t> starts_;
};

struct NetlinkMessage {
  uint16_t type = 0;
  uint16_t flags = 0;
  uint32_t sequence = 0;
  std::string_view payload;  // the family's body, then attributes
};

// The next message of a datagram, taken off it; nullopt at its end and where it is malformed (then something
// is left of it).
std::optional<NetlinkMessage> take_message(std::string_view& datagram);

struct NetlinkAttribute {
  uint16_t type = 0;  // without NLA_F_NESTED and NLA_F_NET_BYTEORDER
  std::string_view value;
};

std::optional<NetlinkAttribute> take_attribute(std::string_view& attributes);

// The value of the first of that type behind a body of so many bytes; empty if there is none.
std::string_view find_attribute(std::string_view payload, size_t body, uint16_t type);

// What the bytes hold, if there are enough.
template <typename T>
std::optional<T> leading(std::string_view bytes) {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value{};
  bytes.copy(reinterpret_cast<char*>(&value), sizeof value);
  return value;
}

// Without what follows a zero.
std::string_view text_in(std::string_view value);

// NLMSG_ERROR: 0 is the acknowledgement.
struct NetlinkError {
  int err = 0;
  std::string_view explanation;  // of the kernel's (NETLINK_EXT_ACK); mostly empty
};
std::optional<NetlinkError> error_in(const NetlinkMessage& message);

}  // namespace berth::sys
