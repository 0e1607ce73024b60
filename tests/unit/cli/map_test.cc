#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/map_json.h"
#include "cli/map_picture.h"
#include "cli/map_svg.h"
#include "cli/map_text.h"

namespace berth::cli {
namespace {

using engine::BankFacts;
using engine::ContainerFacts;
using engine::IdFacts;
using engine::IdFile;
using testing::HasSubstr;
using testing::Not;

BankFacts bank(uint16_t number, std::string owner) {
  return {.bank = Bank(number), .owner = ledger::Owner{"container", owner}, .owner_name = owner};
}

ContainerFacts container(std::string name, std::vector<idmap::Extent> extents, pid_t pid = 0) {
  return {.id = name, .name = name, .pid = pid, .users = extents, .groups = extents};
}

// A host as in the documentation: users, a subordinate range, three banks, one of which two containers map.
IdFacts host() {
  IdFacts facts;
  facts.lines = {{IdFile::passwd, 1, "root", {0, 1}},
                 {IdFile::passwd, 2, "ann", {1000, 1001}},
                 {IdFile::subuid, 1, "ann", {100000, 165536}}};
  facts.banks = {bank(8, "web"), {.bank = Bank(9), .owner_name = "old"}, bank(10, "db")};
  facts.containers = {container("db", {{0, 655360, 65536}, {65536, 524288, 100}}),
                      container("web", {{0, 524288, 65536}}, 17)};
  return facts;
}

TEST(Map, TheHostBesideItsContainers) {
  EXPECT_EQ("\n" + map_as_text(draw(host(), {}), {.width = 90}), R"(
           Host                                        Containers
       IDs                                    host IDs                        inside
           ┌───────────────────────────┐
         0 │ root                      │
         1 ├───────────────────────────┤
           ~ free                      ~
           ├───────────────────────────┤
      1000 │ ann                       │
      1001 ├───────────────────────────┤
           ~ free                      ~
    100000 ├───────────────────────────┤
           │ subordinate IDs           │
           │ ann                       │
           │ /etc/subuid:1             │
    165536 ├───────────────────────────┤
           ~ free                      ~
    524288 ├───────────────────────────┤        524288 ┌─ web ──────────────┐ 0
           │ bank 0                    ├──────────────>│ 65536 IDs          │
           │ container web             │        589824 └────────────────────┘ 65536
           │                           │        655360 ┌─ db ───────────────┐ 0
           │                           │ ┌────────────>│ 65536 IDs          │
           │                           │ │      524288 ├────────────────────┤ 65536
           │                           ├─┼────────────>│ 100 IDs            │
           │                           │ │      524388 └────────────────────┘ 65636
    589824 ├───────────────────────────┤ │
           │ bank 1 rests              │ │
           │ last of old               │ │
    655360 ├───────────────────────────┤ │
           │ bank 2                    ├─┘
           │ container db              │
    720896 ├───────────────────────────┤
           ~ free for banks            ~
1879048192 ├───────────────────────────┤
           ~ free                      ~
4294967295 └───────────────────────────┘
)");
}

TEST(Map, OneContainer) {
  EXPECT_EQ("\n" + map_as_text(draw(host(), {.container = "web"}), {.width = 80}), R"(
           Host                                  Containers
       IDs                              host IDs                    inside
           ┌───────────────────────┐
         0 │ root                  │
         1 ├───────────────────────┤
           ~ free                  ~
           ├───────────────────────┤
      1000 │ ann                   │
      1001 ├───────────────────────┤
           ~ free                  ~
    100000 ├───────────────────────┤
           │ subordinate IDs       │
           │ ann                   │
           │ /etc/subuid:1         │
    165536 ├───────────────────────┤
           ~ free                  ~
    524288 ├───────────────────────┤      524288 ┌─ web ──────────┐ 0
           │ bank 0                ├────────────>│ 65536 IDs      │
           │ container web         │      589824 └────────────────┘ 65536
    589824 ├───────────────────────┤
           ~ 1 bank of 1 owner     ~
           ~ 1 bank at rest        ~
    720896 ├───────────────────────┤
           ~ free for banks        ~
1879048192 ├───────────────────────┤
           ~ free                  ~
4294967295 └───────────────────────┘
)");
}

TEST(Map, ANarrowTerminalHasOneColumn) {
  EXPECT_EQ("\n" + map_as_text(draw(host(), {}), {.width = 40}), R"(
           Host
       IDs
           ┌───────────────────────────┐
         0 │ root                      │
         1 ├───────────────────────────┤
           ~ free                      ~
           ├───────────────────────────┤
      1000 │ ann                       │
      1001 ├───────────────────────────┤
           ~ free                      ~
    100000 ├───────────────────────────┤
           │ subordinate IDs           │
           │ ann                       │
           │ /etc/subuid:1             │
    165536 ├───────────────────────────┤
           ~ free                      ~
    524288 ├───────────────────────────┤
           │ bank 0                    │
           │ container web             │
           │ > web 0-65535             │
           │ > db 65536-65635          │
    589824 ├───────────────────────────┤
           │ bank 1 rests              │
           │ last of old               │
    655360 ├───────────────────────────┤
           │ bank 2                    │
           │ container db              │
           │ > db 0-65535              │
    720896 ├───────────────────────────┤
           ~ free for banks            ~
1879048192 ├───────────────────────────┤
           ~ free                      ~
4294967295 └───────────────────────────┘
)");
}

TEST(Map, LinesThatCrossNeverShareARow) {
  IdFacts facts;
  for (uint16_t i = 0; i < 12; ++i) facts.banks.push_back(bank(static_cast<uint16_t>(8 + i), "x"));
  for (uint32_t i = 0; i < 6; ++i) {
    const uint32_t own = (8 + i) * kBankSize;
    const uint32_t other = (19 - i) * kBankSize;
    facts.containers.push_back(
        container(fmt::format("c{}", i), {{0, other, 10}, {100, own, 10}, {200, other + 100, 10}}));
  }
  const Picture picture = draw(facts, {});
  EXPECT_EQ(picture.links.size(), 18U);
  std::map<int, int> rows;
  for (const Link& link : picture.links) {
    ++rows[link.from];
    if (link.to != link.from) ++rows[link.to];
    for (const Link& other : picture.links) {
      if (&link == &other || link.lane < 0 || link.lane != other.lane) continue;
      EXPECT_TRUE(std::max(link.from, link.to) < std::min(other.from, other.to) ||
                  std::max(other.from, other.to) < std::min(link.from, link.to));
    }
  }
  for (const auto& [row, count] : rows) EXPECT_EQ(count, 1) << row;
}

TEST(Map, AContainerWithManyExtentsIsCutUnlessItIsAskedFor) {
  std::vector<idmap::Extent> extents;
  for (uint32_t i = 0; i < 340; ++i) extents.push_back({i * 10, 2000000000 + i * 10, 10});
  const IdFacts facts{.containers = {container("wide", extents)}};
  EXPECT_THAT(map_as_text(draw(facts, {}), {}), HasSubstr("329 more"));
  const std::string whole = map_as_text(draw(facts, {.container = "wide"}), {});
  EXPECT_THAT(whole, Not(HasSubstr(" more")));
  EXPECT_THAT(whole, HasSubstr("2000003390"));
}

TEST(Map, NamesCanNotReachTheTerminal) {
  EXPECT_EQ(shown_name("a\x1b[2J\x7f\nb"), "a\\x1b[2J\\x7f\\x0ab");
  EXPECT_EQ(shown_name("J\xc3\xb6rg \xd0\xb6"), "J\xc3\xb6rg \xd0\xb6");
  EXPECT_EQ(shown_name("\xc2\x9b\xc2\xad\xe2\x80\xae\xcc\x81\xf0\x9f\x98\x80\xe2\x80\x8b"),
            "\\xc2\\x9b\\u{ad}\\u{202e}\\u{301}\\u{1f600}\\u{200b}");
  EXPECT_EQ(shown_name("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(columns_of("J\xc3\xb6rg"), 4U);
}

TEST(Map, SvgEscapesNames) {
  IdFacts facts = host();
  facts.lines[1].name = "<b>&\"\x01";
  facts.containers[1].project = "<p>";
  const std::string svg = map_as_svg(draw(facts, {}));
  EXPECT_THAT(svg, HasSubstr("&lt;b&gt;&amp;&quot;\\x01"));
  EXPECT_THAT(svg, HasSubstr("of project &lt;p&gt;"));
  EXPECT_THAT(svg, Not(HasSubstr("<b>")));
  EXPECT_THAT(svg, Not(HasSubstr("<p>")));
}

TEST(Map, AProjectsContainersOnly) {
  IdFacts facts = host();
  facts.projects = {{"shop", 4, {1000040000, 1000050000}}, {"blog", 5, {1000050000, 1000060000}}};
  facts.containers[0].project = "shop";
  const std::string text = map_as_text(draw(facts, {.project = "shop"}), {});
  EXPECT_THAT(text, HasSubstr("\xe2\x94\x80 db \xe2\x94\x80"));
  EXPECT_THAT(text, Not(HasSubstr("\xe2\x94\x80 web \xe2\x94\x80")));
  EXPECT_THAT(text,
              HasSubstr("\nProject shop (number 4) runs as 1000040000-1000049999 inside its containers.\n"));
  EXPECT_THAT(text, Not(HasSubstr("blog")));
  const auto document = nlohmann::json::parse(map_as_json(facts, {.project = "shop"}));
  ASSERT_EQ(document["containers"].size(), 1U);
  EXPECT_EQ(document["containers"][0]["name"], "db");
  EXPECT_EQ(document["projects"][0]["first_assigned"], 1000040000);
}

TEST(Map, ColoursEndWithEachLine) {
  const std::string text = map_as_text(draw(host(), {}), {.width = 90, .colours = true});
  EXPECT_THAT(text, HasSubstr("\x1b[36m"));
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    const std::string line = text.substr(begin, end - begin);
    const size_t last = line.rfind("\x1b[");
    EXPECT_TRUE(last == std::string::npos || line.substr(last, 4) == "\x1b[0m") << line;
    begin = end + 1;
  }
}

TEST(Map, EveryBankHeldTakesNoTime) {
  IdFacts facts;
  for (uint32_t i = 8; i <= 0x6FFF; ++i) {
    facts.banks.push_back(bank(static_cast<uint16_t>(i), "c"));
    facts.containers.push_back(container(fmt::format("c{}", i), {{0, i * kBankSize, kBankSize}}));
  }
  EXPECT_THAT(map_as_text(draw(facts, {}), {}), HasSubstr("28648 more containers are not drawn"));
  EXPECT_THAT(map_as_text(draw(facts, {.all = true}), {}), HasSubstr("\xe2\x94\x80 c28671 \xe2\x94\x80"));
}

}  // namespace
}  // namespace berth::cli
