// A cgroup's life in the hierarchies of this machine, whatever they are.
#include "cgroup/cgroup.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <new>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "own_cgroup.h"

namespace berth::cgroup {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::string memberships(pid_t pid) {
  return sys::read_file_at(AT_FDCWD, fmt::format("/proc/{}/cgroup", pid), 65536).value();
}

bool there(const Cgroup::Part& part, const std::string& below = "") {
  struct stat found{};
  return ::stat((part.shown() + below).c_str(), &found) == 0;
}

// One process at a time, which is never the same for long: it lives on in its child.
void flee() {
  constexpr int kRounds = 5000;
  ::usleep(50'000);  // until it is in the cgroup
  for (int round = 0; round < kRounds; ++round) {
    const pid_t child = ::fork();
    if (child != 0) ::_exit(child < 0 ? 1 : 0);
    ::usleep(1000);
  }
  ::_exit(0);
}

TEST_F(OwnCgroup, IsInEveryHierarchyAndVerified) {
  EXPECT_EQ(cgroup().parts().size(), hierarchies().all.size());
  for (const Cgroup::Part& part : cgroup().parts()) {
    EXPECT_TRUE(there(part)) << part.shown();
    EXPECT_TRUE(verify_cgroup(part.fd.get(), part.v2(), part.shown()));
    EXPECT_FALSE(verify_cgroup(part.fd.get(), !part.v2(), part.shown()));
  }
}

TEST_F(OwnCgroup, AProcessIsMovedInEverywhere) {
  const pid_t child = process();
  const auto added = cgroup().add(child);
  ASSERT_TRUE(added) << added.error().message << added.error().hint;
  for (const Cgroup::Part& part : cgroup().parts()) {
    EXPECT_THAT(memberships(child), HasSubstr(":" + part.hierarchy.key + ":" + path().text() + "\n"));
  }
  EXPECT_THAT(cgroup().processes().value(), UnorderedElementsAre(child));
  EXPECT_FALSE(cgroup().add(0x3fffffff)) << "no such process";
}

TEST_F(OwnCgroup, AProcessIsClonedIntoV2AndOnlyThere) {
  for (const Cgroup::Part& part : cgroup().parts()) {
    const sys::UniqueFd dir = sys::open_at(part.fd.get(), ".", O_RDONLY | O_DIRECTORY).value();
    for (const int fd : {part.fd.get(), dir.get()}) {
      clone_args args{};
      args.flags = CLONE_INTO_CGROUP;
      args.exit_signal = SIGCHLD;
      args.cgroup = static_cast<__u64>(fd);
      const long pid = ::syscall(SYS_clone3, &args, sizeof args);
      if (pid == 0) ::_exit(0);
      if (part.v2()) {
        EXPECT_GT(pid, 0) << part.shown();
        ::waitpid(static_cast<pid_t>(pid), nullptr, 0);
      } else {
        EXPECT_EQ(pid, -1) << part.shown();
        EXPECT_EQ(errno, EBADF) << "which is why clone_fd() gives v2's or none";
      }
    }
  }
  EXPECT_EQ(cgroup().clone_fd(), cgroup().v2() == nullptr ? -1 : cgroup().v2()->fd.get());
}

// Whether a process that counts in shared memory goes on; on a busy machine it may have to wait for its turn.
constexpr int kGoesOn = 20'000;
constexpr int kStands = 200;
bool counts(const std::atomic<int>& counter, int rounds) {
  const int before = counter;
  for (int round = 0; round < rounds && counter == before; ++round) ::usleep(500);
  return counter != before;
}

TEST_F(OwnCgroup, FreezesAndThaws) {
  void* shared =
      ::mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  auto& counter = *new (shared) std::atomic<int>(0);
  ASSERT_TRUE(cgroup().add(process([&counter] {
    while (true) {
      ++counter;
      ::usleep(200);
    }
  })));
  EXPECT_TRUE(counts(counter, kGoesOn));
  EXPECT_FALSE(cgroup().frozen().value());
  ASSERT_TRUE(cgroup().freeze());
  EXPECT_TRUE(cgroup().frozen().value());
  EXPECT_FALSE(counts(counter, kStands));
  ASSERT_TRUE(cgroup().thaw());
  EXPECT_FALSE(cgroup().frozen().value());
  EXPECT_TRUE(counts(counter, kGoesOn));
}

// Its maker removes it while somebody else still ends what is in it.
TEST_F(OwnCgroup, ThereIsNobodyToThawInOneThatIsGone) {
  ASSERT_TRUE(cgroup().remove());
  const Result<> thawed = cgroup().thaw();
  EXPECT_TRUE(thawed) << thawed.error().message;
}

TEST_F(OwnCgroup, AProcessGoesInByItself) {
  const std::vector<sys::UniqueFd> entrances = cgroup().entrances(false).value();
  EXPECT_EQ(entrances.size(), cgroup().parts().size());
  std::array<int, 2> done{};
  ASSERT_EQ(::pipe(done.data()), 0);
  const pid_t child = process([&] {
    // Whoever opened has the right, not whoever writes.
    const bool in = ::setresgid(65534, 65534, 65534) == 0 && ::setresuid(65534, 65534, 65534) == 0 &&
                    enter(entrances).has_value();
    [[maybe_unused]] const auto told = ::write(done[1], in ? "y" : "n", 1);
  });
  char answer = 0;
  EXPECT_EQ(::read(done[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  for (const int end : done) ::close(end);
  for (const Cgroup::Part& part : cgroup().parts()) {
    EXPECT_THAT(memberships(child), HasSubstr(":" + part.hierarchy.key + ":" + path().text() + "\n"));
  }
}

TEST_F(OwnCgroup, KillEndsForkersAndTheFrozen) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(cgroup().add(process(flee)));
  ::usleep(80'000);
  ASSERT_TRUE(cgroup().freeze());
  EXPECT_GE(cgroup().processes().value().size(), 3U);
  const auto killed = cgroup().kill_all();
  ASSERT_TRUE(killed) << killed.error().message;
  EXPECT_THAT(cgroup().processes().value(), IsEmpty());
}

// As on a kernel without cgroup.kill, and where v1 is alone.
TEST_F(OwnCgroup, KillWorksWithoutV2) {
  Hierarchies v1;
  for (const Hierarchy& one : hierarchies().all) {
    if (!one.v2()) v1.all.push_back(one);
  }
  if (v1.all.empty()) return;  // a unified host has nothing to look at here
  const Cgroup below = Cgroup::create(v1, path("/v1")).value();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(below.add(process(flee)));
  ::usleep(80'000);
  EXPECT_EQ(below.clone_fd(), -1);
  ASSERT_TRUE(below.freeze());
  EXPECT_TRUE(below.frozen().value());
  const auto killed = below.kill_all();
  ASSERT_TRUE(killed) << killed.error().message;
  EXPECT_THAT(below.processes().value(), IsEmpty());
  EXPECT_FALSE(below.frozen().value());
  ASSERT_TRUE(below.remove());
}

TEST_F(OwnCgroup, SignalsGoToAllAndBelow) {
  const Cgroup below = Cgroup::create(hierarchies(), path("/below")).value();
  const pid_t one = process();
  const pid_t two = process();
  // On a unified host that cgroup's controllers would forbid it processes of its own.
  const Cgroup& upper = hierarchies().unified() ? below : cgroup();
  ASSERT_TRUE(upper.add(one));
  ASSERT_TRUE(below.add(two));
  EXPECT_THAT(cgroup().processes().value(), UnorderedElementsAre(one, two));
  ASSERT_TRUE(cgroup().signal_all(SIGTERM));
  int status = 0;
  ::waitpid(one, &status, 0);
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
  ::waitpid(two, &status, 0);
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST_F(OwnCgroup, IsOpenedFromItsRecordAndToldFromALaterOne) {
  const Cgroup below = Cgroup::create(hierarchies(), path("/recorded")).value();
  const std::vector<RecordEntry> record = parse_record(record_text(below.record())).value();
  const Cgroup again = Cgroup::open(hierarchies(), record).value();
  EXPECT_EQ(again.record(), below.record());
  ASSERT_TRUE(below.remove());
  EXPECT_EQ(Cgroup::open(hierarchies(), record).error().code, Code::not_found);
  const Cgroup later = Cgroup::create(hierarchies(), path("/recorded")).value();
  EXPECT_EQ(Cgroup::open(hierarchies(), record).error().code, Code::not_found)
      << "the same path, another cgroup";
  ASSERT_TRUE(again.remove());
  for (const Cgroup::Part& part : later.parts()) EXPECT_TRUE(there(part)) << "somebody else's is not removed";
  ASSERT_TRUE(later.remove());
}

TEST_F(OwnCgroup, OneWhoseMakingWasNotRecordedIsFoundAtItsPlaceUnlessItIsInUse) {
  EXPECT_EQ(Cgroup::open_unused(hierarchies(), path()).error().code, Code::not_found) << "it is being made";
  let_go();
  const auto found = Cgroup::open_unused(hierarchies(), path());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->record(), cgroup().record());
  const pid_t child = process();
  ASSERT_TRUE(cgroup().add(child));
  EXPECT_EQ(Cgroup::open_unused(hierarchies(), path()).error().code, Code::not_found);
  EXPECT_EQ(Cgroup::open_unused(hierarchies(), path("/below")).error().code, Code::not_found);
}

// Of two who tidy up and begin again at the same time, one may see only some of the directories.
TEST_F(OwnCgroup, WhatIsBeingRemovedIsNotTakenOverInPart) {
  const CgroupsPath wanted = path("/again");
  (void)Cgroup::create(hierarchies(), wanted).value();
  {
    const Cgroup left = Cgroup::open_unused(hierarchies(), wanted).value();
    ASSERT_TRUE(Cgroup::remove_if_empty(hierarchies(), {left.record().front()}));
    const auto again = Cgroup::create(hierarchies(), wanted);
    ASSERT_FALSE(again) << "its other directories are about to go";
    EXPECT_EQ(again.error().code, Code::conflict);
    ASSERT_TRUE(Cgroup::remove_if_empty(hierarchies(), left.record()));
  }
  const Cgroup again = Cgroup::create(hierarchies(), wanted).value();
  for (const Cgroup::Part& part : again.parts()) EXPECT_TRUE(there(part)) << part.shown();
  Hierarchies rest = hierarchies();
  rest.all.erase(rest.all.begin());
  EXPECT_EQ(Cgroup::open_unused(rest, wanted).error().code, Code::not_found)
      << "each directory has its maker";
  ASSERT_TRUE(again.remove());
}

TEST_F(OwnCgroup, OneInUseIsNotTakenOver) {
  EXPECT_EQ(Cgroup::create(hierarchies(), path()).error().code, Code::conflict) << "its maker is still at it";
  let_go();
  ASSERT_TRUE(Cgroup::create(hierarchies(), path())) << "an empty one is";
  ASSERT_TRUE(cgroup().add(process()));
  const auto second = Cgroup::create(hierarchies(), path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_THAT(second.error().message, HasSubstr("holds processes"));
}

using Pipe = std::array<int, 2>;

// Tells by its status how it went, and keeps what it got until all have tried.
int take(const Hierarchies& hierarchies, const CgroupsPath& path, const Pipe& gate, const Pipe& tried) {
  char byte = 0;
  ::close(gate[1]);
  if (::read(gate[0], &byte, 1) != 0) return 2;  // it ends for all at the same time
  const auto taken = Cgroup::create(hierarchies, path);
  ::close(tried[1]);
  if (::read(tried[0], &byte, 1) != 0) return 2;
  if (taken) return 0;
  return taken.error().code == Code::conflict ? 1 : 2;
}

TEST_F(OwnCgroup, OfThoseWhoTakeOneAtTheSameTimeOneGetsIt) {
  constexpr int kRounds = 30;
  constexpr int kTakers = 6;
  for (int round = 0; round < kRounds; ++round) {
    const CgroupsPath wanted = path(fmt::format("/taken-{}", round));
    Pipe gate{};
    Pipe tried{};
    ASSERT_EQ(::pipe(gate.data()) + ::pipe(tried.data()), 0);
    std::array<pid_t, kTakers> takers{};
    for (pid_t& taker : takers) {
      taker = ::fork();
      if (taker == 0) ::_exit(take(hierarchies(), wanted, gate, tried));
    }
    for (const int end : {gate[0], gate[1], tried[0], tried[1]}) ::close(end);
    std::array<int, 3> counts{};
    for (const pid_t taker : takers) {
      int status = 0;
      ::waitpid(taker, &status, 0);
      ++counts.at(WIFEXITED(status) ? static_cast<size_t>(WEXITSTATUS(status)) : 2);
    }
    EXPECT_THAT(counts, testing::ElementsAre(1, kTakers - 1, 0)) << "round " << round;
    EXPECT_TRUE(there(cgroup().parts().front(), fmt::format("/taken-{}", round)));
  }
}

TEST_F(OwnCgroup, NothingIsLeftOfOneThatCouldNotBeMade) {
  // In the last hierarchy nothing can be made, and all the others have been before.
  Hierarchies broken = hierarchies();
  auto proc = std::make_shared<const sys::UniqueFd>(sys::open_at(AT_FDCWD, "/proc", O_PATH).value());
  broken.all.push_back({"name=berth-test", "/proc", "/", std::move(proc)});
  const auto made = Cgroup::create(broken, path("/x/y"));
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("make the cgroup /proc"));
  for (const Cgroup::Part& part : cgroup().parts()) EXPECT_FALSE(there(part, "/x")) << part.shown();
}

TEST_F(OwnCgroup, IsRemovedWithWhatIsBelowAndTwice) {
  const Cgroup below = Cgroup::create(hierarchies(), path("/tree")).value();
  for (const Cgroup::Part& part : below.parts()) {
    ASSERT_EQ(::mkdirat(part.fd.get(), "a", 0755), 0);
    ASSERT_EQ(::mkdirat(part.fd.get(), "a/b", 0755), 0);
    ASSERT_EQ(::mkdirat(part.fd.get(), "c", 0755), 0);
  }
  ASSERT_TRUE(below.remove());
  for (const Cgroup::Part& part : below.parts()) EXPECT_FALSE(there(part)) << part.shown();
  EXPECT_TRUE(below.remove()) << "gone already is success";
  EXPECT_THAT(below.processes().value(), IsEmpty());
}

TEST_F(OwnCgroup, IsNotRemovedUnderProcesses) {
  const pid_t child = process();
  ASSERT_TRUE(cgroup().add(child));
  const auto removed = cgroup().remove(Wait{30});
  ASSERT_FALSE(removed);
  EXPECT_THAT(removed.error().message, HasSubstr(fmt::format("the first is {}", child)));
}

TEST_F(OwnCgroup, ARelativePathIsBelowTheCallersOwn) {
  const CgroupsPath relative = parse_cgroups_path(fmt::format("berth-test-{}-relative", ::getpid())).value();
  const Cgroup made = Cgroup::create(hierarchies(), relative).value();
  for (const Cgroup::Part& part : made.parts()) {
    EXPECT_TRUE(there(part));
    if (!hierarchies().unified()) {
      const std::string own = *part.hierarchy.own == "/" ? "" : *part.hierarchy.own;
      EXPECT_EQ(part.path, own + "/" + relative.text());
    }
  }
  ASSERT_TRUE(made.remove());
}

TEST_F(OwnCgroup, AControllerThatIsNotThereIsNamed) {
  if (cgroup().v2() == nullptr) return;  // v1 alone has no controllers to enable
  const auto made = Cgroup::create(hierarchies(), path("/never"), {.required = {"no_such"}});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("the cgroup controller no_such is not there in"));
  EXPECT_THAT(made.error().hint, HasSubstr("cgroup.subtree_control"));
}

TEST_F(OwnCgroup, BesideAThreadedCgroupNoneTakesProcessesAndItIsToldWhy) {
  if (cgroup().v2() == nullptr) return;
  Hierarchies v2;
  v2.all = {*hierarchies().v2()};
  const Cgroup threads = Cgroup::create(v2, path("/threads")).value();
  const Cgroup beside = Cgroup::create(v2, path("/beside")).value();
  ASSERT_TRUE(sys::write_control_file(threads.v2()->fd.get(), "cgroup.type", "threaded"));
  const auto added = beside.add(process());
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message, HasSubstr("/beside: write cgroup.procs: EOPNOTSUPP"));
  EXPECT_THAT(added.error().hint, HasSubstr("threaded"));
  EXPECT_THAT(threads.processes().value(), IsEmpty()) << "which can't be read there";
  ASSERT_TRUE(threads.remove());
  ASSERT_TRUE(beside.remove());
}

// What `work` gives in a process that is nobody's.
template <typename Work>
int as_nobody(Work work) {
  constexpr uid_t kNobody = 65534;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setresgid(kNobody, kNobody, kNobody) != 0 || ::setresuid(kNobody, kNobody, kNobody) != 0)
      ::_exit(99);
    ::_exit(work());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

TEST_F(OwnCgroup, WithoutRootOnlyWhatIsDelegatedIsMade) {
  const Cgroup::Part& delegated = cgroup().parts().front();
  const CgroupsPath mine = path("/mine");
  ASSERT_EQ(::chown(delegated.shown().c_str(), 65534, 65534), 0);
  EXPECT_EQ(as_nobody([&] {
              const auto made = Cgroup::create(hierarchies(), mine, {.where_allowed = true});
              if (!made) return 1;
              return made->parts().size() == 1 && there(delegated, "/mine") && made->remove() ? 0 : 2;
            }),
            0);
  EXPECT_EQ(as_nobody([&] {
              const auto made = Cgroup::create(hierarchies(), mine);
              if (made || made.error().err != EACCES) return 1;
              return made.error().hint.find("has to be delegated") == std::string::npos ? 2 : 0;
            }),
            hierarchies().all.size() > 1 ? 0 : 1);
  EXPECT_FALSE(there(delegated, "/mine"));
}

TEST_F(OwnCgroup, AMountOverAHierarchyIsNotTakenForIt) {
  Hierarchy covered = hierarchies().all[0];
  covered.place = "/tmp";
  const auto opened = open_hierarchy(covered);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::refused);
}

}  // namespace
}  // namespace berth::cgroup
