#include "cli/flags.h"

#include <gmock/gmock.h>

namespace berth::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A command that takes one of each.
class FlagsTest : public testing::Test {
 protected:
  Result<bool> parse(std::vector<std::string> words) {
    const Invocation invocation{globals_, "job", std::move(words)};
    Flags line(invocation, "[flags] WORD...", "Does a job.", "  berth job x\n");
    declare(line);
    return line.parse();
  }

  // As `berth run`: what follows the first word is another program's.
  Result<bool> parse_prefix(std::vector<std::string> words) {
    const Invocation invocation{globals_, "job", std::move(words)};
    Flags line(invocation, "[flags] WORD...", "Does a job.", "");
    line.leave_rest();
    declare_flags(line);
    Result<bool> parsed = line.parse();
    rest_ = line.rest();
    return parsed;
  }

  void declare_flags(Flags& line) {
    line.flag("-i,--interactive", interactive_, "Pass the input on");
    line.flag("--init,!--no-init", init_, "With an init");
    line.heading("Values");
    line.value("-w,--workdir", directory_, "Where");
    line.value("--entrypoint", entrypoint_, "What", {.shown = "WORD"});
    line.value("--pull", pull_, "When", {.choices = {"always", "never"}});
    line.value("--retry", retries_, "How often", {.range = Range{0, 10}});
    line.value("-n,--tail", tail_, "How many");
    line.list("-e,--env", environment_, "NAME=VALUE");
  }

  void declare(Flags& line) {
    declare_flags(line);
    line.words("words", words_, Need::required);
  }

  Globals globals_;
  bool interactive_ = false;
  bool init_ = true;
  std::string directory_;
  std::optional<std::string> entrypoint_;
  std::string pull_ = "always";
  int retries_ = 3;
  std::optional<int64_t> tail_;
  std::vector<std::string> environment_;
  std::vector<std::string> words_;
  std::vector<std::string> rest_;
};

TEST_F(FlagsTest, ReadsEachKindOfFlag) {
  ASSERT_TRUE(
      parse({"-iw", "/src", "--no-init", "--entrypoint", "", "--pull=never", "--retry", "10", "-n-1", "x"}));
  EXPECT_TRUE(interactive_);
  EXPECT_FALSE(init_);
  EXPECT_EQ(directory_, "/src");
  EXPECT_EQ(entrypoint_, "");
  EXPECT_EQ(pull_, "never");
  EXPECT_EQ(retries_, 10);
  EXPECT_EQ(tail_, -1);
  EXPECT_THAT(words_, ElementsAre("x"));
}

TEST_F(FlagsTest, AnEmptyValueAfterTheEqualsSignIsAValue) {
  ASSERT_TRUE(parse({"--entrypoint=", "-e", "A=", "x", "--workdir="}));
  EXPECT_EQ(entrypoint_, "");
  EXPECT_THAT(environment_, ElementsAre("A="));
  EXPECT_EQ(directory_, "");
  EXPECT_THAT(words_, ElementsAre("x"));
}

TEST_F(FlagsTest, EmptyValuesOfTheOtherProgramAreItsOwn) {
  ASSERT_TRUE(parse_prefix({"--entrypoint=", "x", "--entrypoint=", "y"}));
  EXPECT_EQ(entrypoint_, "");
  EXPECT_THAT(rest_, ElementsAre("x", "--entrypoint=", "y"));
  ASSERT_TRUE(parse_prefix({"-w/x", "-ie", "A", "--workdir=", "--", "--entrypoint="}));
  EXPECT_EQ(directory_, "");
  EXPECT_THAT(rest_, ElementsAre("--", "--entrypoint="));
}

TEST_F(FlagsTest, LeavesAloneWhatIsNotGiven) {
  ASSERT_TRUE(parse({"x", "y"}));
  EXPECT_FALSE(interactive_);
  EXPECT_TRUE(init_);
  EXPECT_EQ(entrypoint_, std::nullopt);
  EXPECT_EQ(pull_, "always");
  EXPECT_EQ(retries_, 3);
  EXPECT_EQ(tail_, std::nullopt);
  EXPECT_THAT(words_, ElementsAre("x", "y"));
}

TEST_F(FlagsTest, TakesTheOppositeInEitherWay) {
  ASSERT_TRUE(parse({"--init=false", "x"}));
  EXPECT_FALSE(init_);
  ASSERT_TRUE(parse({"--no-init=false", "x"}));
  EXPECT_TRUE(init_);
}

TEST_F(FlagsTest, AListTakesOneValueEachTime) {
  ASSERT_TRUE(parse({"-e", "A=1", "x", "--env=B=2", "-eC", "y"}));
  EXPECT_THAT(environment_, ElementsAre("A=1", "B=2", "C"));
  EXPECT_THAT(words_, ElementsAre("x", "y"));
}

TEST_F(FlagsTest, TakesAValueThatLooksLikeAFlag) {
  ASSERT_TRUE(parse({"--env=--interactive", "--", "-i"}));
  EXPECT_THAT(environment_, ElementsAre("--interactive"));
  EXPECT_THAT(words_, ElementsAre("-i"));
  EXPECT_FALSE(interactive_);
}

TEST_F(FlagsTest, LeavesTheRestOfTheLineAlone) {
  ASSERT_TRUE(parse_prefix({"-i", "image", "-e", "A", "--", "--help"}));
  EXPECT_TRUE(interactive_);
  EXPECT_THAT(environment_, IsEmpty());
  EXPECT_THAT(rest_, ElementsAre("image", "-e", "A", "--", "--help"));
  ASSERT_TRUE(parse_prefix({"--wordir", "/src", "image"}));
  EXPECT_THAT(rest_, ElementsAre("--wordir", "/src", "image"));
}

TEST_F(FlagsTest, NamesTheNearestFlag) {
  const Result<bool> parsed = parse({"--wordir=/src", "x"});
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, Code::usage);
  EXPECT_EQ(parsed.error().message, "berth job has no flag --wordir");
  EXPECT_EQ(parsed.error().hint, "Did you mean --workdir?");
  EXPECT_EQ(parse({"--no-int", "x"}).error().hint, "Did you mean --no-init?");
  EXPECT_EQ(parse({"--hepl", "x"}).error().hint, "Did you mean --help?");
  EXPECT_EQ(parse({"--something-else", "x"}).error().hint, "`berth job --help` lists the flags.");
}

TEST_F(FlagsTest, RefusesWhatIsNoValue) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"x", "--pull=sometimes"},
                                             {"x", "--retry=11"},
                                             {"x", "-n", "many"},
                                             {"x", "-w"},
                                             {"x", "-i=maybe"},
                                             {"-i"},
                                             {"x", "-iz"}}) {
    const Result<bool> parsed = parse(words);
    ASSERT_FALSE(parsed) << words.back();
    EXPECT_EQ(parsed.error().code, Code::usage);
    EXPECT_FALSE(parsed.error().hint.empty());
  }
}

TEST_F(FlagsTest, HelpHasAllFlagsThoughTheLineNamesNone) {
  testing::internal::CaptureStdout();
  const Result<bool> parsed = parse({"--help"});
  std::fflush(stdout);
  const std::string help = testing::internal::GetCapturedStdout();
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(*parsed);
  for (const char* part :
       {"Usage: berth job [flags] WORD...\n", "Does a job.", "-i,--interactive", "\nValues:\n",
        "--entrypoint WORD", "--pull TEXT:{always,never}", "-e,--env", "EXAMPLES\n  berth job x"}) {
    EXPECT_THAT(help, HasSubstr(part));
  }
}

}  // namespace
}  // namespace berth::cli
