#include "sys/netlink_message.h"

#include <linux/netlink.h>

namespace berth::sys {

namespace {

constexpr size_t kHeader = sizeof(nlmsghdr);
constexpr size_t kAttributeHeader = sizeof(nlattr);

// Messages and attributes begin at multiples of 4.
constexpr size_t aligned(size_t length) {
  return (length + NLMSG_ALIGNTO - 1) & ~size_t{NLMSG_ALIGNTO - 1};
}

template <typename T>
void write_at(std::string& bytes, size_t at, T value) {
  bytes.replace(at, sizeof value, reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

void NetlinkRequests::begin(uint16_t type, uint16_t flags) {
  starts_.push_back(bytes_.size());
  const nlmsghdr header{kHeader, type, static_cast<uint16_t>(flags | NLM_F_REQUEST), 0, 0};
  append({reinterpret_cast<const char*>(&header), sizeof header});
}

void NetlinkRequests::append(std::string_view data) {
  bytes_ += data;
  bytes_.resize(aligned(bytes_.size()), '\0');
  set_message_length();
}

void NetlinkRequests::set_message_length() {
  const size_t start = starts_.back();
  write_at(bytes_, start + offsetof(nlmsghdr, nlmsg_len), static_cast<uint32_t>(bytes_.size() - start));
}

void NetlinkRequests::attribute(uint16_t type, std::string_view bytes) {
  const nlattr header{static_cast<uint16_t>(kAttributeHeader + bytes.size()), type};
  bytes_.append(reinterpret_cast<const char*>(&header), sizeof header);
  append(bytes);
}

void NetlinkRequests::text(uint16_t type, std::string_view text) {
  attribute(type, std::string(text) + '\0');
}

size_t NetlinkRequests::open(uint16_t type) {
  const size_t nest = bytes_.size();
  attribute(type | NLA_F_NESTED, {});
  return nest;
}

void NetlinkRequests::close(size_t nest) {
  write_at(bytes_, nest + offsetof(nlattr, nla_len), static_cast<uint16_t>(bytes_.size() - nest));
}

void NetlinkRequests::add_flag(uint16_t flag) {
  const uint16_t flags = this->flags(count() - 1) | flag;
  write_at(bytes_, starts_.back() + offsetof(nlmsghdr, nlmsg_flags), flags);
}

std::string NetlinkRequests::bytes(uint32_t sequence) const {
  std::string numbered = bytes_;
  for (const size_t start : starts_) write_at(numbered, start + offsetof(nlmsghdr, nlmsg_seq), sequence++);
  return numbered;
}

uint16_t NetlinkRequests::flags(size_t message) const {
  const std::string_view header = std::string_view(bytes_).substr(starts_.at(message));
  return leading<nlmsghdr>(header).value_or(nlmsghdr{}).nlmsg_flags;
}

std::optional<NetlinkMessage> take_message(std::string_view& datagram) {
  const std::optional<nlmsghdr> header = leading<nlmsghdr>(datagram);
  if (!header || header->nlmsg_len < kHeader || header->nlmsg_len > datagram.size()) return std::nullopt;
  const NetlinkMessage message{header->nlmsg_type, header->nlmsg_flags, header->nlmsg_seq,
                               datagram.substr(kHeader, header->nlmsg_len - kHeader)};
  datagram.remove_prefix(std::min(aligned(header->nlmsg_len), datagram.size()));
  return message;
}

std::optional<NetlinkAttribute> take_attribute(std::string_view& attributes) {
  const std::optional<nlattr> header = leading<nlattr>(attributes);
  if (!header || header->nla_len < kAttributeHeader || header->nla_len > attributes.size())
    return std::nullopt;
  const NetlinkAttribute attribute{static_cast<uint16_t>(header->nla_type & NLA_TYPE_MASK),
                                   attributes.substr(kAttributeHeader, header->nla_len - kAttributeHeader)};
  attributes.remove_prefix(std::min(aligned(header->nla_len), attributes.size()));
  return attribute;
}

std::string_view find_attribute(std::string_view payload, size_t body, uint16_t type) {
  payload.remove_prefix(std::min(aligned(body), payload.size()));
  while (const std::optional<NetlinkAttribute> attribute = take_attribute(payload)) {
    if (attribute->type == type) return attribute->value;
  }
  return {};
}

std::string_view text_in(std::string_view value) {
  return value.substr(0, value.find('\0'));
}

std::optional<NetlinkError> error_in(const NetlinkMessage& message) {
  if (message.type != NLMSG_ERROR) return std::nullopt;
  const std::optional<nlmsgerr> error = leading<nlmsgerr>(message.payload);
  if (!error || error->error > 0) return std::nullopt;
  NetlinkError found{-error->error, {}};
  // The request is in it, header alone or whole, and then attributes.
  if ((message.flags & NLM_F_ACK_TLVS) == 0) return found;
  size_t body = sizeof(nlmsgerr);
  if ((message.flags & NLM_F_CAPPED) == 0 && error->msg.nlmsg_len >= kHeader)
    body += error->msg.nlmsg_len - kHeader;
  found.explanation = text_in(find_attribute(message.payload, body, NLMSGERR_ATTR_MSG));
  return found;
}

}  // namespace berth::sys
