// Banks that another engine's running container uses are passed over.
#include "ledger/foreign_namespaces.h"

#include <csignal>
#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../support/scratch.h"
#include "ledger/banks.h"

namespace berth::ledger {
namespace {

// A process in a user namespace of its own, as another engine would start it.
class ForeignContainer {
 public:
  ForeignContainer(uint32_t first, uint32_t count, uint32_t uid_inside) {
    std::array<int, 2> mapped{};
    std::array<int, 2> ready{};
    EXPECT_EQ(::pipe2(mapped.data(), O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(ready.data(), O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      char byte = 0;
      const bool entered = ::unshare(CLONE_NEWUSER) == 0 && ::write(ready[1], "x", 1) == 1 &&
                           ::read(mapped[0], &byte, 1) == 1 && ::setgid(uid_inside) == 0 &&
                           ::setuid(uid_inside) == 0 && ::write(ready[1], "y", 1) == 1;
      if (!entered) ::_exit(1);
      while (true) ::pause();
    }
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    for (const char* map : {"uid_map", "gid_map"}) {
      std::ofstream("/proc/" + std::to_string(pid_) + "/" + map) << "0 " << first << " " << count << "\n"
                                                                 << std::flush;
    }
    EXPECT_EQ(::write(mapped[1], "x", 1), 1);
    EXPECT_EQ(::read(ready[0], &byte, 1), 1) << "the maps were not taken";
    for (const int fd : {mapped[0], mapped[1], ready[0], ready[1]}) ::close(fd);
  }
  ~ForeignContainer() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ForeignContainer(const ForeignContainer&) = delete;
  ForeignContainer& operator=(const ForeignContainer&) = delete;

 private:
  pid_t pid_ = -1;
};

class ForeignNamespaces : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::mkdir((scratch_.path() + "/etc").c_str(), 0755), 0);
    host_.etc = scratch_.path() + "/etc";
    db_.emplace(store::Database::open(scratch_.path() + "/berth.db").value());
    // The end of the pool, where no other test and no container of this machine is.
    ASSERT_TRUE(db_->execute("UPDATE fresh_banks SET first = 28000 WHERE first = 1032"));
  }
  int number() {
    const auto bank = allocate_bank(*db_, {"container", "a"}, host_);
    EXPECT_TRUE(bank) << bank.error().message;
    return bank ? bank->number() : -1;
  }
  const test::Scratch scratch_;
  HostSources host_;
  std::optional<store::Database> db_;
};

TEST_F(ForeignNamespaces, TheWholeRangeOfARunningOneIsPassedOver) {
  // Two banks, and nobody in it is root.
  const ForeignContainer other(28000U * 65536, 131072, 1000);
  EXPECT_EQ(number(), 28002);
}

TEST_F(ForeignNamespaces, RootOfANewOneIsSeenBetweenTheLooks) {
  EXPECT_EQ(number(), 28000) << "and the processes have been looked at";
  const ForeignContainer other(28001U * 65536, 65536, 0);
  EXPECT_EQ(number(), 28002);
}

TEST_F(ForeignNamespaces, IdentityMapsTakeNothing) {
  {
    const ForeignContainer other(0, 4294967295U, 1000);
    EXPECT_EQ(number(), 28000);
  }
  const auto ranges = mapped_ranges("/proc", [](HostUid) { return false; });
  ASSERT_TRUE(ranges);
}

TEST_F(ForeignNamespaces, BerthsOwnAreNoStrangers) {
  EXPECT_EQ(number(), 28000);
  const ForeignContainer own(28000U * 65536, 65536, 0);
  ASSERT_TRUE(db_->execute("DELETE FROM settings"));
  EXPECT_EQ(number(), 28001) << "a new look at the processes";
  store::Statement seen = db_->prepare("SELECT value FROM settings WHERE key = 'foreign_namespaces'").value();
  ASSERT_TRUE(seen.step().value());
  EXPECT_EQ(seen.text(0).find("1835008000"), std::string::npos) << seen.text(0);
}

}  // namespace
}  // namespace berth::ledger
