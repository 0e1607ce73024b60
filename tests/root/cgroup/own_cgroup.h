// A cgroup of the test's own in every hierarchy of this machine, and processes to put into it. All goes with
// it.
#pragma once

#include <vector>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup/cgroup.h"
#include "cgroup/control_file.h"
#include "sys/file.h"

namespace berth::cgroup {

class OwnCgroup : public testing::Test {
 protected:
  void SetUp() override {
    auto found = discover();
    ASSERT_TRUE(found) << found.error().message;
    hierarchies_ = std::move(*found);
    auto made = Cgroup::create(hierarchies_, path());
    ASSERT_TRUE(made) << made.error().message << " " << made.error().hint;
    cgroup_.emplace(std::move(*made));
  }
  void TearDown() override {
    if (cgroup_) {
      EXPECT_TRUE(cgroup_->kill_all());
      for (const pid_t child : children_) {
        if (::waitpid(child, nullptr, WNOHANG) != 0) continue;
        ::kill(child, SIGKILL);  // one that never came in
        ::waitpid(child, nullptr, 0);
      }
      const auto removed = cgroup_->remove();
      EXPECT_TRUE(removed) << removed.error().message;
    }
  }

  // Absolute: the same in every hierarchy.
  static CgroupsPath path(const std::string& below = "") {
    return parse_cgroups_path(fmt::format("/berth-test-{}{}", ::getpid(), below)).value();
  }
  [[nodiscard]] const Hierarchies& hierarchies() const { return hierarchies_; }
  [[nodiscard]] const Cgroup& cgroup() const { return *cgroup_; }

  // As when its maker has ended.
  void let_go() { cgroup_ = Cgroup::open(hierarchies_, cgroup_->record()).value(); }

  // A process that does `work` and then sleeps until it is killed. Its number.
  template <typename Work>
  pid_t process(Work work) {
    const pid_t child = ::fork();
    if (child == 0) {
      work();
      while (true) ::pause();
    }
    children_.push_back(child);
    return child;
  }
  pid_t process() {
    return process([] {});
  }

  // A control file of the hierarchy that has the controller.
  [[nodiscard]] std::string content(std::string_view controller, const std::string& file) const {
    const Cgroup::Part* part = cgroup().with_controller(controller);
    if (part == nullptr) return "no such controller";
    return read_control(part->fd.get(), file).value_or("no such file");
  }

 private:
  Hierarchies hierarchies_;
  std::optional<Cgroup> cgroup_;
  std::vector<pid_t> children_;
};

}  // namespace berth::cgroup
