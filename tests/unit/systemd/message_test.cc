#include "systemd/message.h"

#include <gtest/gtest.h>

#include "systemd/manager.h"

using namespace berth;
using namespace berth::systemd;
using namespace std::string_literals;

namespace {

// A signal, put together field by field as the specification has it.
std::string job_removed() {
  Writer body;
  body.number(uint32_t{7});
  body.string("/org/freedesktop/systemd1/job/7");
  body.string("x.scope");
  body.string("done");
  Writer message;
  for (const int byte : {int{'l'}, 4, 0, 1}) message.byte(static_cast<uint8_t>(byte));
  message.number(static_cast<uint32_t>(body.bytes().size()));
  message.number(uint32_t{99});
  const Writer::Array fields = message.begin_array(8);
  message.byte(3);
  message.signature("s");
  message.string("JobRemoved");
  message.align(8);
  message.byte(8);
  message.signature("g");
  message.signature("uoss");
  message.end_array(fields);
  message.align(8);
  return message.take() + body.bytes();
}

TEST(Messages, ACallIsReadAsItWasWritten) {
  const Call call{"", "/a", "b.c", "Do", "su", "body"};
  const std::string bytes = encode(call, 5);
  EXPECT_EQ(message_size(bytes).value(), bytes.size());
  const Message message = parse_message(bytes).value();
  EXPECT_EQ(message.type, MessageType::call);
  EXPECT_EQ(message.path + message.interface + message.member, "/ab.cDo");
  EXPECT_EQ(message.signature + message.body, "subody");
}

TEST(Messages, ACallHasTheBytesOfTheSpecification) {
  const std::string bytes = encode({"", "/", "", "M", "", ""}, 1);
  EXPECT_EQ(bytes,
            "l\1\0\1\0\0\0\0\1\0\0\0\032\0\0\0"  // no body, serial 1, 26 bytes of fields
            "\1\1o\0\1\0\0\0/\0\0\0\0\0\0\0"     // PATH, with padding to 8
            "\3\1s\0\1\0\0\0M\0\0\0\0\0\0\0"s);  // MEMBER
}

TEST(Messages, ASignal) {
  const Message message = parse_message(job_removed()).value();
  EXPECT_EQ(message.type, MessageType::signal);
  Reader reader(message.body);
  EXPECT_EQ(reader.number().value(), 7U);
  EXPECT_EQ(reader.string().value(), "/org/freedesktop/systemd1/job/7");
  EXPECT_EQ(reader.string().value(), "x.scope");
  EXPECT_EQ(reader.string().value(), "done");
  EXPECT_TRUE(reader.at_end());
}

TEST(Messages, ThatAreCutOffAnywhereAreRefused) {
  const std::string bytes = job_removed();
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(parse_message(std::string_view(bytes).substr(0, length))) << length;
  EXPECT_FALSE(parse_message(bytes + "x"));
}

TEST(Messages, ThatAreTooLongAreRefusedBeforeTheyAreRead) {
  std::string bytes = job_removed();
  bytes.replace(4, 4, "\xff\xff\xff\x7f");
  EXPECT_FALSE(message_size(bytes));
  bytes = job_removed();
  bytes.replace(12, 4, "\xff\xff\xff\x7f");
  EXPECT_FALSE(message_size(bytes));
}

TEST(Messages, OfAnotherOrderVersionOrTypeAreRefused) {
  for (const auto& [at, byte] :
       {std::pair(0, 'B'), std::pair(3, '\2'), std::pair(1, '\5'), std::pair(1, '\0')}) {
    std::string bytes = job_removed();
    bytes[static_cast<size_t>(at)] = byte;
    EXPECT_FALSE(parse_message(bytes)) << at;
  }
}

TEST(Values, ATextHasItsEndWhereItSays) {
  EXPECT_FALSE(Reader("\2\0\0\0ab"s).string());     // no zero behind it
  EXPECT_FALSE(Reader("\2\0\0\0a\0\0"s).string());  // one in it
  EXPECT_FALSE(Reader("\xff\xff\xff\xff\0"s).string());
  EXPECT_EQ(Reader("\2\0\0\0ab\0"s).string().value(), "ab");
}

TEST(Values, WhatIsBetweenThemIsZero) {
  const std::string bytes = "\1\0\1\0\1\0\0\0"s;
  Reader reader(bytes);
  EXPECT_TRUE(reader.byte());
  EXPECT_FALSE(reader.number());
}

TEST(Properties, OfEveryType) {
  const std::string number = encode(std::vector<Property>{{"N", uint64_t{258}}});
  EXPECT_EQ(number, "\x18\0\0\0\0\0\0\0\1\0\0\0N\0\1t\0\0\0\0\0\0\0\0\2\1\0\0\0\0\0\0"s);
  const std::string pairs = encode(std::vector<Property>{{"P", Property::Pairs{{"a", "b"}}}});
  EXPECT_NE(pairs.find("\5a(ss)\0"s), std::string::npos);
  EXPECT_TRUE(pairs.ends_with("\1\0\0\0a\0\0\0\1\0\0\0b\0"s));
}

}  // namespace
