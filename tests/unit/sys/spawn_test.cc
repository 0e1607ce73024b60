#include "sys/spawn.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "sys/file.h"
#include "sys/pipe.h"

namespace berth::sys {
namespace {

constexpr size_t kMost = 4096;

Result<ProgramOutput> output_of_shell(const std::string& script) {
  return output_of("sh", {"sh", "-c", script}, kMost);
}

TEST(Spawn, OutputAndStatusOfAProgramOfThePath) {
  const Result<ProgramOutput> output = output_of_shell("cat; echo said; exit 3");
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(output->text, "said\n");
  EXPECT_EQ(WEXITSTATUS(output->status), 3);
}

TEST(Spawn, WhoNeverStopsWritingIsNotWaitedFor) {
  EXPECT_FALSE(output_of_shell("while echo more; do :; done 2>/dev/null"));
}

TEST(Spawn, AProgramThatIsNotThereIsSaidToBe) {
  const Result<pid_t> missing = spawn("/nonexistent/program", {"program"}, {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().err, ENOENT);
}

TEST(Spawn, GivesTheDescriptorsThatAreSaidAndNoOthers) {
  Pipe pipe = make_pipe().value();
  Pipe other = make_pipe().value();
  const int kept = ::dup(other.read_end.get());  // not closed by the exec
  const pid_t pid =
      spawn("sh",
            {"sh", "-c", fmt::format("ls /proc/self/fd >&5; : <&{} 2>/dev/null && echo kept >&5", kept)},
            {.descriptors = {{0, kNullDevice}, {1, kNullDevice}, {2, kNullDevice}, {5, pipe.write_end.get()}},
             .close_from = 6})
          .value();
  ::close(kept);
  pipe.write_end.reset();
  const std::string said = read_all(pipe.read_end.get(), kMost).value();
  wait_for_child(pid).value();
  EXPECT_TRUE(said.starts_with("0\n1\n2\n")) << said;
  if (kept >= 6) {
    EXPECT_EQ(said.find("kept"), std::string::npos) << said;
  }
}

TEST(Spawn, ApartIsASessionOfItsOwnWithNothingOfTheCallers) {
  Pipe pipe = make_pipe().value();
  const pid_t pid = spawn("sh", {"sh", "-c", "pwd >&3; cut -d' ' -f6 /proc/$$/stat >&3; echo $$ >&3"},
                          {.descriptors = {{3, pipe.write_end.get()}}, .unblocked = true, .apart = true})
                        .value();
  pipe.write_end.reset();
  const std::string said = read_all(pipe.read_end.get(), kMost).value();
  wait_for_child(pid).value();
  EXPECT_EQ(said, fmt::format("/\n{0}\n{0}\n", pid));
}

}  // namespace
}  // namespace berth::sys
