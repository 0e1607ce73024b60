// Addresses, subnets and MAC addresses, one a line. What is accepted stays itself when it is written and read
// again, and a subnet's own arithmetic agrees with itself.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/fields.h"
#include "net/address.h"

using namespace berth::net;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_address(const Address& address) {
  require(Address::parse(address.text()) == address);
  require(Address::from_bytes(address.bytes()) == address);
  require(Address::from_key(address.key(), address.is_v6()) == address);
  for (const uint64_t offset : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
    const auto more = address.plus(offset);
    require(!more || (address <= *more && more->minus(offset) == address));
    const auto less = address.minus(offset);
    require(!less || (*less <= address && less->plus(offset) == address));
  }
}

void check_subnet(const Subnet& subnet) {
  require(Subnet::parse(subnet.text()) == subnet);
  check_address(subnet.first());
  check_address(subnet.last());
  require(subnet.contains(subnet.first_usable()) && subnet.contains(subnet.last_usable()));
  require(subnet.first_usable() <= subnet.last_usable());
  const auto after = subnet.last().plus(1);
  require(!after || !subnet.contains(*after));
  for (unsigned prefix = subnet.prefix(); prefix <= subnet.first().bits(); ++prefix) {
    const auto part = subnet.part(prefix, 1);
    if (!part) continue;
    require(subnet.contains(*part) && !part->contains(subnet.first()));
    require(part->first().minus(1) == subnet.part(prefix, 0)->last());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  while (!text.empty()) {
    const std::string_view line = berth::take_until(text, '\n');
    if (const auto address = Address::parse(line)) check_address(*address);
    if (const auto subnet = Subnet::parse(line)) check_subnet(*subnet);
    if (const auto mac = MacAddress::parse(line)) require(MacAddress::parse(mac->text()) == mac);
  }
  return 0;
}
