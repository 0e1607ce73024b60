#include "net/nf_tables.h"

#include <cerrno>

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>

namespace berth::net {

namespace {

// An attribute's length has 16 bits, and what is in a list is in one attribute.
constexpr size_t kLargestList = size_t{48} << 10;
constexpr size_t kLongestComment = 120;  // nft reads up to 128, NFTNL_UDATA_COMMENT_MAXLEN

constexpr uint16_t message_type(uint16_t message) {
  return static_cast<uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message);
}

constexpr nfgenmsg kInet{NFPROTO_INET, NFNETLINK_V0, 0};
const nfgenmsg kBatch{AF_UNSPEC, NFNETLINK_V0, htons(NFNL_SUBSYS_NFTABLES)};

// Comments are the user's data, in a form that nft has agreed upon with itself: type, length, text (libnftnl,
// udata.h).
constexpr char kCommentType = 0;

std::string comment_data(std::string_view comment) {
  const std::string text = std::string(comment.substr(0, kLongestComment)) + '\0';
  return std::string{kCommentType, static_cast<char>(text.size())} + text;
}

std::string comment_in(std::string_view data) {
  while (data.size() >= 2) {
    const auto length = static_cast<uint8_t>(data[1]);
    const std::string_view value = data.substr(2, length);
    if (value.size() < length) return {};
    if (data[0] == kCommentType) return std::string(sys::text_in(value));
    data.remove_prefix(2 + size_t{length});
  }
  return {};
}

void put_value(sys::NetlinkRequests& requests, uint16_t type, std::string_view bytes) {
  const size_t data = requests.open(type);
  requests.attribute(NFTA_DATA_VALUE, bytes);
  requests.close(data);
}

void put_element(sys::NetlinkRequests& requests, const Element& element, bool whole) {
  const size_t item = requests.open(NFTA_LIST_ELEM);
  put_value(requests, NFTA_SET_ELEM_KEY, element.key);
  if (whole && !element.value.empty()) put_value(requests, NFTA_SET_ELEM_DATA, element.value);
  if (whole && !element.comment.empty())
    requests.attribute(NFTA_SET_ELEM_USERDATA, comment_data(element.comment));
  requests.close(item);
}

void begin_elements(sys::NetlinkRequests& requests, uint16_t message, uint16_t flags,
                    const std::string& table, const std::string& set) {
  requests.message(message_type(message), flags, kInet);
  requests.text(NFTA_SET_ELEM_LIST_TABLE, table);
  requests.text(NFTA_SET_ELEM_LIST_SET, set);
}

std::string_view value_of(std::string_view data) {
  return sys::find_attribute(data, 0, NFTA_DATA_VALUE);
}

}  // namespace

ElementData& ElementData::field(std::string_view bytes) {
  constexpr size_t kRegister = 4;
  bytes_ += bytes;
  bytes_.resize((bytes_.size() + kRegister - 1) / kRegister * kRegister, '\0');
  return *this;
}

ElementData& ElementData::interface(std::string_view name) {
  std::string padded(name.substr(0, IFNAMSIZ - 1));
  padded.resize(IFNAMSIZ, '\0');
  return field(padded);
}

ElementData& ElementData::address(const Address& address) {
  return field(address.bytes());
}

ElementData& ElementData::protocol(uint8_t number) {
  return field({reinterpret_cast<const char*>(&number), sizeof number});
}

ElementData& ElementData::port(uint16_t port) {
  const uint16_t ordered = htons(port);
  return field({reinterpret_cast<const char*>(&ordered), sizeof ordered});
}

Transaction::Transaction(std::string table) : table_(std::move(table)) {
  requests_.message(NFNL_MSG_BATCH_BEGIN, 0, kBatch);
}

void Transaction::change(ElementChange change, std::span<const Element> elements) {
  const bool adds = change == ElementChange::add;
  for (size_t i = 0; i < elements.size();) {
    const std::string& set = elements[i].set;
    if (adds) {
      begin_elements(requests_, NFT_MSG_NEWSETELEM, NLM_F_CREATE, table_, set);
    } else {
      begin_elements(requests_, NFT_MSG_DELSETELEM, 0, table_, set);
    }
    const size_t list = requests_.open(NFTA_SET_ELEM_LIST_ELEMENTS);
    for (; i < elements.size() && elements[i].set == set && requests_.nest_size(list) < kLargestList; ++i)
      put_element(requests_, elements[i], adds);
    requests_.close(list);
  }
}

Result<> Transaction::commit(sys::NetlinkSocket& socket) {
  if (requests_.count() == 1) return {};
  // Errors of all the others have been sent before the answer to the last.
  requests_.add_flag(NLM_F_ACK);
  requests_.message(NFNL_MSG_BATCH_END, 0, kBatch);
  return socket.carry_out(requests_, fmt::format("change nftables' table \"{}\"", table_));
}

std::vector<Element> elements_in(std::string_view payload) {
  const auto attribute = [&](uint16_t type) { return sys::find_attribute(payload, sizeof(nfgenmsg), type); };
  const std::string set(sys::text_in(attribute(NFTA_SET_ELEM_LIST_SET)));
  std::string_view list = attribute(NFTA_SET_ELEM_LIST_ELEMENTS);
  std::vector<Element> elements;
  while (const std::optional<sys::NetlinkAttribute> item = sys::take_attribute(list)) {
    const auto part = [&](uint16_t type) { return sys::find_attribute(item->value, 0, type); };
    Element element{set, std::string(value_of(part(NFTA_SET_ELEM_KEY))),
                    std::string(value_of(part(NFTA_SET_ELEM_DATA))),
                    comment_in(part(NFTA_SET_ELEM_USERDATA))};
    if (!element.key.empty()) elements.push_back(std::move(element));
  }
  return elements;
}

Result<std::vector<Element>> list_elements(sys::NetlinkSocket& socket, const std::string& table,
                                           const std::string& set) {
  sys::NetlinkRequests request;
  begin_elements(request, NFT_MSG_GETSETELEM, NLM_F_DUMP, table, set);
  std::vector<Element> elements;
  TRY(socket.list(request, [&](const sys::NetlinkMessage& message) {
    if (message.type != message_type(NFT_MSG_NEWSETELEM)) return;
    for (Element& element : elements_in(message.payload)) elements.push_back(std::move(element));
  }));
  return elements;
}

Result<std::optional<Element>> find_element(sys::NetlinkSocket& socket, const std::string& table,
                                            const Element& wanted) {
  sys::NetlinkRequests request;
  begin_elements(request, NFT_MSG_GETSETELEM, NLM_F_ACK, table, wanted.set);
  const size_t list = request.open(NFTA_SET_ELEM_LIST_ELEMENTS);
  put_element(request, wanted, false);
  request.close(list);
  std::optional<Element> found;
  const std::vector<sys::NetlinkAnswer> answers =
      TRY(socket.exchange(request, [&](const sys::NetlinkMessage& message) {
        std::vector<Element> elements = elements_in(message.payload);
        if (!elements.empty()) found = std::move(elements.front());
      }));
  const sys::NetlinkAnswer& answer = answers.front();
  if (answer.err == ENOENT) return std::nullopt;
  if (answer.err != 0) return sys::fail_answer(answer, fmt::format("read nftables' table \"{}\"", table));
  return found;
}

Result<std::vector<std::optional<uint32_t>>> count_uses(sys::NetlinkSocket& socket, const std::string& table,
                                                        std::span<const std::string_view> chains) {
  sys::NetlinkRequests requests;
  for (const std::string_view chain : chains) {
    requests.message(message_type(NFT_MSG_GETCHAIN), NLM_F_ACK, kInet);
    requests.text(NFTA_CHAIN_TABLE, table);
    requests.text(NFTA_CHAIN_NAME, chain);
  }
  std::vector<std::optional<uint32_t>> uses(chains.size());
  const std::vector<sys::NetlinkAnswer> answers =
      TRY(socket.exchange(requests, [&](const sys::NetlinkMessage& message) {
        const auto attribute = [&](uint16_t type) {
          return sys::find_attribute(message.payload, sizeof(nfgenmsg), type);
        };
        const std::string_view name = sys::text_in(attribute(NFTA_CHAIN_NAME));
        const auto count = sys::leading<uint32_t>(attribute(NFTA_CHAIN_USE));
        for (size_t i = 0; i < chains.size(); ++i) {
          if (chains[i] == name && count) uses[i] = ntohl(*count);
        }
      }));
  for (const sys::NetlinkAnswer& answer : answers) {
    if (answer.err != 0 && answer.err != ENOENT)
      return sys::fail_answer(answer, fmt::format("read nftables' table \"{}\"", table));
  }
  return uses;
}

}  // namespace berth::net
