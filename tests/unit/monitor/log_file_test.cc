#include "monitor/log_file.h"

#include <csignal>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "../../support/scratch.h"
#include "sys/file.h"

namespace berth::monitor {
namespace {

class Log : public ::testing::Test {
 protected:
  Log() : directory_(sys::open_at(AT_FDCWD, scratch_.path(), O_RDONLY | O_DIRECTORY).value()) {}

  LogFile open(LogOptions options = {}) { return {directory_.get(), options}; }
  std::string file(uint32_t age = 0) {
    return sys::read_file_at(directory_.get(), log_file_name(age), size_t{64} << 20).value_or("absent");
  }
  bool is_there(uint32_t age) { return sys::exists_at(directory_.get(), log_file_name(age)); }

  // What the entries of a file say that a stream has had, as `berth logs` prints it.
  static std::string said(const std::string& log, Stream stream) {
    std::string text;
    for (std::string_view rest = log; !rest.empty();) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      const auto entry = parse_log_entry(rest.substr(0, end));
      EXPECT_TRUE(entry) << rest.substr(0, end);
      if (entry && entry->stream == stream) text += std::string(entry->text) + (entry->partial ? "" : "\n");
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return text;
  }

  test::Scratch scratch_;
  sys::UniqueFd directory_;
};

TEST_F(Log, HasAnEntryForEachLine) {
  LogFile log = open();
  log.append(Stream::output, "one\n\ntwo\n");
  log.append(Stream::error, "three\n");
  const std::string text = file();
  EXPECT_EQ(said(text, Stream::output), "one\n\ntwo\n");
  EXPECT_EQ(said(text, Stream::error), "three\n");
  EXPECT_NE(text.find("Z stdout F one\n"), std::string::npos) << text;
  EXPECT_NE(text.find("Z stderr F three\n"), std::string::npos) << text;
}

TEST_F(Log, MarksWhatGoesOn) {
  LogFile log = open();
  log.append(Stream::output, "begin ");
  log.append(Stream::output, "end\nnext");
  const std::string text = file();
  EXPECT_NE(text.find(" stdout P begin \n"), std::string::npos) << text;
  EXPECT_NE(text.find(" stdout F end\n"), std::string::npos) << text;
  EXPECT_EQ(said(text, Stream::output), "begin end\nnext");
}

TEST_F(Log, TakesAnyByte) {
  std::string bytes;
  for (int i = 0; i < 256 * 8; ++i) bytes += static_cast<char>(i * 7);
  LogFile log = open();
  log.append(Stream::output, bytes);
  log.append(Stream::output, std::string(1'000'000, 'x'));
  EXPECT_EQ(said(file(), Stream::output), bytes + std::string(1'000'000, 'x'));
}

TEST_F(Log, GoesOnAtTheNextStart) {
  open().append(Stream::output, "one\n");
  open().append(Stream::output, "two\n");
  EXPECT_EQ(said(file(), Stream::output), "one\ntwo\n");
}

TEST_F(Log, BeginsALineAfterOneThatACrashHasCut) {
  open().append(Stream::output, "one\n");
  const std::string path = scratch_.path() + "/log";
  ASSERT_EQ(::truncate(path.c_str(), static_cast<off_t>(file().size() - 3)), 0);
  open().append(Stream::output, "two\n");
  EXPECT_NE(file().find("F o\n"), std::string::npos) << file();
  EXPECT_NE(file().find(" stdout F two\n"), std::string::npos) << file();
}

TEST_F(Log, IsPutAsideBySize) {
  LogFile log = open({.max_size = 1000, .max_files = 3});
  std::string all;
  for (int i = 0; i < 100; ++i) {
    const std::string text = fmt::format("line {:>40}\n", i);
    all += text;
    log.append(Stream::output, text);
  }
  std::string kept;
  for (const uint32_t age : {2U, 1U, 0U}) {
    EXPECT_LE(file(age).size(), 1000U);
    EXPECT_GT(file(age).size(), age == 0 ? 0U : 800U);
    kept += said(file(age), Stream::output);
  }
  EXPECT_FALSE(is_there(3));
  EXPECT_TRUE(all.ends_with(kept)) << kept;
}

TEST_F(Log, IsBoundedWhateverComesAtOnce) {
  LogFile log = open({.max_size = 10'000, .max_files = 2});
  std::string lines;
  for (int i = 0; i < 10'000; ++i) lines += "a line of a size\n";
  log.append(Stream::output, lines);
  EXPECT_LE(file(0).size(), 10'000U);
  EXPECT_LE(file(1).size(), 10'000U);
  EXPECT_FALSE(is_there(2));
}

TEST_F(Log, OfOneFileBeginsAnew) {
  LogFile log = open({.max_size = 100, .max_files = 1});
  for (int i = 0; i < 10; ++i) log.append(Stream::output, "a line of a size\n");
  EXPECT_LE(file().size(), 100U);
  EXPECT_FALSE(is_there(1));
}

TEST_F(Log, HasNoBoundIfNoneIsAskedFor) {
  LogFile log = open({.max_size = 0});
  log.append(Stream::output, std::string(500'000, '\n'));
  EXPECT_EQ(said(file(), Stream::output).size(), 500'000U);
  EXPECT_FALSE(is_there(1));
}

TEST_F(Log, NeedNotBeKept) {
  LogFile log = open({.keep = false});
  log.append(Stream::output, "secret\n");
  log.finish();
  EXPECT_FALSE(is_there(0));
}

// The kernel's limit on a file's size is to the log what a full disk is.
class LogWithoutRoom : public Log {
 protected:
  LogWithoutRoom() {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
  }
  ~LogWithoutRoom() override { ::setrlimit(RLIMIT_FSIZE, &before_); }
  void allow(rlim_t bytes) {
    const rlimit limit{bytes, before_.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  void allow_all() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  rlimit before_{};
};

TEST_F(LogWithoutRoom, SaysHowMuchWasLost) {
  LogFile log = open({.max_size = 0});
  log.append(Stream::output, "kept\n");
  allow(file().size() + 60);
  log.append(Stream::output, "fits\nlost 1\nlost 2\n");
  log.append(Stream::error, "lost 3");
  allow_all();
  log.append(Stream::output, "again\n");
  const std::string text = file();
  EXPECT_EQ(said(text, Stream::output), "kept\nfits\nagain\n");
  EXPECT_EQ(said(text, Stream::error),
            "berth: 20 bytes were lost here: the log could not be written: EFBIG (File too large)\n");
  EXPECT_LT(text.find("20 bytes were lost"), text.find("again")) << text;
}

TEST_F(LogWithoutRoom, SaysItAtTheEndAtTheLatest) {
  LogFile log = open({.max_size = 0});
  log.append(Stream::output, "begun ");
  allow(file().size());
  log.append(Stream::output, "lost\n");
  allow_all();
  log.finish();
  EXPECT_EQ(said(file(), Stream::output), "begun \n") << "the line is not glued to what comes after the gap";
  EXPECT_NE(said(file(), Stream::error).find("5 bytes were lost"), std::string::npos) << file();
}

TEST(LogEntries, AreReadExactly) {
  const auto entry = parse_log_entry("2026-01-31T12:00:00.123456789Z stderr P  a text ");
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->time, "2026-01-31T12:00:00.123456789Z");
  EXPECT_EQ(entry->stream, Stream::error);
  EXPECT_TRUE(entry->partial);
  EXPECT_EQ(entry->text, " a text ");
  EXPECT_EQ(parse_log_entry("2026-01-31T12:00:00.123456789Z stdout F ")->text, "");
}

TEST(LogEntries, AreNothingElse) {
  for (const char* line :
       {"", "x", "2026-01-31T12:00:00.123456789Z stdout F", "2026-01-31T12:00:00.123456789Z stdin  F x",
        "2026-01-31T12:00:00.123456789Z stdout X x", "2026-01-31 12:00:00.123456789Z stdout F x",
        "2026-01-31T12:00:00.12345678Z stdout F xx", "2026-01-31T12:00:00.123456789Z stdoutxF x"})
    EXPECT_FALSE(parse_log_entry(line)) << line;
}

TEST(LogClocks, FormatTimes) {
  LogClock clock;
  EXPECT_EQ(clock.text({1'769'860'800, 5}), "2026-01-31T12:00:00.000000005Z");
  EXPECT_EQ(clock.text({1'769'860'800, 987'654'321}), "2026-01-31T12:00:00.987654321Z");
  EXPECT_EQ(clock.text({0, 0}), "1970-01-01T00:00:00.000000000Z");
}

}  // namespace
}  // namespace berth::monitor
