#include "sys/netlink_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netlink.h>

namespace berth::sys {
namespace {

struct Body {
  uint8_t family = 7;
};

NetlinkRequests two_requests() {
  NetlinkRequests requests;
  requests.message(16, NLM_F_ACK, Body{});
  requests.text(3, "eth0");
  const size_t outer = requests.open(18);
  requests.number(1, uint8_t{42});
  const size_t inner = requests.open(2, Body{});
  requests.attribute(5, "abcde");
  requests.close(inner);
  requests.close(outer);
  requests.message(17, 0, uint64_t{1});
  return requests;
}

TEST(NetlinkMessage, IsReadAsItWasWritten) {
  const std::string bytes = two_requests().bytes(100);
  std::string_view rest = bytes;
  const auto first = take_message(rest);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->type, 16);
  EXPECT_EQ(first->flags, NLM_F_REQUEST | NLM_F_ACK);
  EXPECT_EQ(first->sequence, 100U);
  EXPECT_EQ(text_in(find_attribute(first->payload, sizeof(Body), 3)), "eth0");
  const std::string_view outer = find_attribute(first->payload, sizeof(Body), 18);
  EXPECT_EQ(leading<uint8_t>(find_attribute(outer, 0, 1)), 42);
  const std::string_view inner = find_attribute(outer, 0, 2);
  EXPECT_EQ(find_attribute(inner, sizeof(Body), 5), "abcde");
  const auto second = take_message(rest);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->sequence, 101U);
  EXPECT_EQ(leading<uint64_t>(second->payload), 1U);
  EXPECT_FALSE(take_message(rest));
  EXPECT_TRUE(rest.empty());
}

TEST(NetlinkMessage, KeepsItsFlagsApart) {
  NetlinkRequests requests = two_requests();
  requests.add_flag(NLM_F_ACK);
  EXPECT_EQ(requests.count(), 2U);
  EXPECT_EQ(requests.flags(1), NLM_F_REQUEST | NLM_F_ACK);
  EXPECT_EQ(requests.flags(0), NLM_F_REQUEST | NLM_F_ACK);
}

// Whatever is cut off or claims to be longer than it is ends the reading, and nothing past the end is read.
TEST(NetlinkMessage, IsNotReadPastItsEnd) {
  const std::string bytes = two_requests().bytes(1);
  for (size_t length = 0; length <= bytes.size(); ++length) {
    const std::string cut = bytes.substr(0, length);
    std::string_view rest = cut;
    while (const auto message = take_message(rest)) {
      std::string_view attributes = message->payload;
      while (take_attribute(attributes)) continue;
    }
  }
  for (const uint32_t claimed : {0U, 1U, 15U, 1000U, 0xFFFFFFFFU}) {
    std::string wrong = bytes;
    wrong.replace(0, sizeof claimed, reinterpret_cast<const char*>(&claimed), sizeof claimed);
    std::string_view rest = wrong;
    EXPECT_FALSE(take_message(rest)) << claimed;
  }
}

TEST(NetlinkMessage, WithAnAttributeOfNoLengthEnds) {
  std::string_view attributes("\0\0\1\0", 4);
  EXPECT_FALSE(take_attribute(attributes));
  EXPECT_EQ(find_attribute(std::string_view("\3\0\1\0", 4), 0, 1), "");
  EXPECT_EQ(find_attribute("", 100, 1), "");
}

NetlinkMessage error_message(const std::string& payload, uint16_t flags) {
  return {NLMSG_ERROR, flags, 1, payload};
}

TEST(NetlinkMessage, ErrorsHaveTheKernelsExplanation) {
  nlmsgerr error{};
  error.error = -ENODEV;
  error.msg.nlmsg_len = 400;  // of the request, which is not in an answer that is capped
  NetlinkRequests request;
  request.message(0, 0, error);
  request.text(NLMSGERR_ATTR_MSG, "no such device");
  const std::string payload = request.bytes(0).substr(sizeof(nlmsghdr));
  const auto explained = error_in(error_message(payload, NLM_F_CAPPED | NLM_F_ACK_TLVS));
  ASSERT_TRUE(explained);
  EXPECT_EQ(explained->err, ENODEV);
  EXPECT_EQ(explained->explanation, "no such device");
  EXPECT_EQ(error_in(error_message(payload, NLM_F_ACK_TLVS))->explanation, "");
  EXPECT_FALSE(error_in(error_message("abc", 0)));
  EXPECT_FALSE(error_in({NLMSG_DONE, 0, 1, payload}));
}

TEST(NetlinkMessage, NumbersOfTheNetworkAreBigEndian) {
  const uint32_t number = big_endian(uint32_t{0x01020304});
  EXPECT_EQ((std::string_view(reinterpret_cast<const char*>(&number), 4)), "\x01\x02\x03\x04");
}

}  // namespace
}  // namespace berth::sys
