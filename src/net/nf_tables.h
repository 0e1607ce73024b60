// Elements of nf_tables' sets and maps, by nfnetlink: what a start adds and an end takes away, in a
// transaction each. Tables, chains and rules are the nft program's (rules.h); libnftables and libnftnl, under
// the GPL, are not linked.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.h"
#include "sys/netlink.h"

namespace berth::net {

// A key or a value as the kernel compares it: fields one behind another, each from a multiple of 4 bytes on.
class ElementData {
 public:
  ElementData& interface(std::string_view name);
  ElementData& address(const Address& address);
  ElementData& protocol(uint8_t number);  // IPPROTO_*
  ElementData& port(uint16_t port);
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  ElementData& field(std::string_view bytes);
  std::string bytes_;
};

struct Element {
  std::string set;
  std::string key;    // ElementData::bytes()
  std::string value;  // empty in a set that is no map
  std::string comment;
  bool operator==(const Element&) const = default;
};

enum class ElementChange { add, remove };

// Requests that the kernel carries out all or none.
class Transaction {
 public:
  explicit Transaction(std::string table);
  // One that is there with the same value may be added again; one that is not there can't be removed.
  void change(ElementChange change, std::span<const Element> elements);
  // ENOENT in Error::err: the table, a set, or an element to be removed is not there. EEXIST or EBUSY: a key
  // is there with another value.
  Result<> commit(sys::NetlinkSocket& socket);
  [[nodiscard]] const sys::NetlinkRequests& requests() const { return requests_; }

 private:
  std::string table_;
  sys::NetlinkRequests requests_;
};

// All elements of a set; Error::err is ENOENT where there is no such.
Result<std::vector<Element>> list_elements(sys::NetlinkSocket& socket, const std::string& table,
                                           const std::string& set);

// The element with that key as it is in the kernel; nullopt where there is none.
Result<std::optional<Element>> find_element(sys::NetlinkSocket& socket, const std::string& table,
                                            const Element& wanted);

// What NFT_MSG_NEWSETELEM has behind its header. An element without a key is left out.
std::vector<Element> elements_in(std::string_view payload);

// How many rules each of the chains has, and jumps that lead to it; nullopt for one that is not there.
Result<std::vector<std::optional<uint32_t>>> count_uses(sys::NetlinkSocket& socket, const std::string& table,
                                                        std::span<const std::string_view> chains);

}  // namespace berth::net
