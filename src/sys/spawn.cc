#include "sys/spawn.h"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/pipe.h"

namespace berth::sys {

namespace {

// What posix_spawn() takes, as long as it is needed.
class Attributes {
 public:
  explicit Attributes(const SpawnPlan& plan) {
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_init(&actions_);
    if (plan.unblocked) unblock();
    if (plan.apart) {
      flags_ |= POSIX_SPAWN_SETSID;
      posix_spawn_file_actions_addchdir_np(&actions_, "/");
    }
    posix_spawnattr_setflags(&attributes_, static_cast<short>(flags_));
    for (const auto& [number, fd] : plan.descriptors) {
      if (fd == kNullDevice) {
        posix_spawn_file_actions_addopen(&actions_, number, "/dev/null", O_RDWR, 0);
      } else {
        posix_spawn_file_actions_adddup2(&actions_, fd, number);
      }
    }
    if (plan.close_from) posix_spawn_file_actions_addclosefrom_np(&actions_, *plan.close_from);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }
  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }

 private:
  // SIGPIPE, which some callers ignore, is as it is for any program.
  void unblock() {
    sigset_t none;
    sigset_t broken_pipe;
    sigemptyset(&none);
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &broken_pipe);
    flags_ |= POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  }
  posix_spawnattr_t attributes_{};
  posix_spawn_file_actions_t actions_{};
  int flags_ = 0;
};

}  // namespace

Result<pid_t> spawn(const std::string& program, std::vector<std::string> words, const SpawnPlan& plan) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const Attributes attributes(plan);
  pid_t pid = 0;
  const int err =
      ::posix_spawnp(&pid, program.c_str(), attributes.actions(), attributes.get(), argv.data(), environ);
  if (err != 0) return fail_errno(err, "execute {}", program);
  return pid;
}

Result<pid_t> spawn_apart(const std::string& program, std::vector<std::string> words) {
  return spawn(program, std::move(words),
               {.descriptors = {{STDIN_FILENO, kNullDevice},
                                {STDOUT_FILENO, kNullDevice},
                                {STDERR_FILENO, kNullDevice}},
                .close_from = STDERR_FILENO + 1,
                .unblocked = true,
                .apart = true});
}

Result<int> wait_for_child(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return fail_errno(errno, "wait for the process {}", pid);
  }
  return status;
}

Result<ProgramOutput> output_of(const std::string& program, std::vector<std::string> words, size_t most) {
  Pipe pipe = TRY(make_pipe());
  const pid_t pid =
      TRY(spawn(program, std::move(words),
                {.descriptors = {{STDIN_FILENO, kNullDevice}, {STDOUT_FILENO, pipe.write_end.get()}}}));
  pipe.write_end.reset();
  Result<std::string> text = read_all(pipe.read_end.get(), most);
  // One that still writes gets SIGPIPE.
  pipe.read_end.reset();
  const int status = TRY(wait_for_child(pid));
  if (!text) return std::unexpected(std::move(text).error());
  return ProgramOutput{std::move(*text), status};
}

}  // namespace berth::sys
