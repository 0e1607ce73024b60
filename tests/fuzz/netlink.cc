// What the kernel says by netlink, read as links, as connections, as elements of nf_tables and as errors: no
// length in it is believed. And a network's plan from another process: what check() lets pass has names that
// fit.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/connections.h"
#include "net/elements.h"
#include "net/foreign_rules.h"
#include "net/links.h"
#include "net/nf_tables.h"
#include "net/plan.h"
#include "sys/netlink_message.h"

using namespace berth;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void read_message(const sys::NetlinkMessage& message) {
  if (const auto error = sys::error_in(message)) require(error->err >= 0);
  if (const auto link = net::link_in(message.payload)) require(link->index > 0);
  [[maybe_unused]] const auto connection = net::connection_in(message.payload);
  [[maybe_unused]] const net::ForeignChain chain = net::chain_in(message.payload);
  [[maybe_unused]] const bool drops = net::drops_everything(message.payload);
  for (const net::Element& element : net::elements_in(message.payload)) {
    require(!element.key.empty());
    require(element.comment.find('\0') == std::string::npos);
  }
  std::string_view attributes = message.payload;
  while (sys::take_attribute(attributes)) continue;
}

void read_plan(std::string_view bytes) {
  const Result<net::NetworkPlan> plan = wire::decode<net::NetworkPlan>(bytes);
  if (!plan || !net::check(*plan)) return;
  for (const net::AttachmentPlan& attachment : plan->attachments)
    require(attachment.bridge.name.size() <= net::kLongestInterfaceName && !attachment.link.empty());
  net::Transaction transaction(plan->table);
  transaction.change(net::ElementChange::add, net::container_elements(*plan));
  const std::string sent = transaction.requests().bytes(1);
  std::string_view rest = sent;
  while (sys::take_message(rest)) continue;
  require(rest.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::string_view rest = input;
  while (const auto message = sys::take_message(rest)) read_message(*message);
  read_plan(input);
  return 0;
}
