#include "runtime/execution.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace berth::runtime {

namespace {

constexpr std::string_view kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string_view search_path(const ProcessPlan& process) {
  std::string_view found = kDefaultPath;
  for (const std::string& variable : process.environment) {
    if (variable.starts_with("PATH=")) found = std::string_view(variable).substr(5);
  }
  return found;
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> result;
  result.reserve(words.size() + 1);
  for (const std::string& word : words) result.push_back(const_cast<char*>(word.c_str()));
  result.push_back(nullptr);
  return result;
}

// What this process would get from execve(2), as far as a look can tell: 0, or an errno.
int executable(const std::string& path) {
  struct stat st{};
  if (::stat(path.c_str(), &st) != 0) return errno;
  if (!S_ISREG(st.st_mode)) return S_ISDIR(st.st_mode) ? EISDIR : EACCES;
  return ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

void restore_signals() {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // The system call, because signal(2) of the C library refuses the two that it keeps for itself, and a
  // caller may have ignored them. All zeroes are the kernel's struct sigaction for the default, with an empty
  // mask.
  constexpr int kLastSignal = 64;
  const std::array<unsigned long, 4> standard{};
  for (int signal = 1; signal <= kLastSignal; ++signal) {
    ::syscall(SYS_rt_sigaction, signal, standard.data(), nullptr, sizeof(unsigned long));
  }
}

}  // namespace

Error exec_error(const std::string& command, int err, bool found) {
  const bool absent = err == ENOENT || err == ENOTDIR || err == ELOOP;
  Error error{absent ? Code::command_not_found : Code::not_executable, err, {}, {}};
  error.message = fmt::format("cannot execute \"{}\" in the container: {}", command, describe_errno(err));
  if (err == ENOEXEC) {
    error.hint = "The file is not a program for this machine, or a script without a #! line.";
  } else if (err == E2BIG) {
    error.hint = "Its arguments and its environment together are more than the kernel passes on (execve(2)).";
  } else if (err == ENOENT && found) {
    error.hint = "The interpreter of its #! line, or its dynamic loader, is not in the image.";
  } else if (absent && command.find('/') != std::string::npos) {
    error.hint = "There is no such file in the image.";
  } else if (absent) {
    error.hint = "The image has no such command in its PATH.";
  } else if (err == EISDIR) {
    // With execve(2)'s own error for it, by which podman and Docker know that the status is to be 126.
    error.message = fmt::format("cannot execute \"{}\" in the container: it is a directory: {}", command,
                                describe_errno(EACCES));
  } else if (err == EACCES) {
    error.hint =
        "Its mode does not let the container's user execute it, or its file system is mounted noexec.";
  }
  return error;
}

Result<std::string> find_command(const ProcessPlan& process) {
  const std::string& command = process.argv.front();
  if (command.empty()) return std::unexpected(exec_error(command, ENOENT, false));
  if (command.find('/') != std::string::npos) {
    const int err = executable(command);
    if (err != 0) return std::unexpected(exec_error(command, err, false));
    return command;
  }
  int refused = 0;
  std::string_view path = search_path(process);
  while (true) {
    const std::string_view directory = path.substr(0, path.find(':'));
    std::string candidate = fmt::format("{}/{}", directory.empty() ? "." : directory, command);
    const int err = executable(candidate);
    if (err == 0) return candidate;
    if (err == EACCES && refused == 0) refused = err;
    if (directory.size() == path.size()) break;
    path.remove_prefix(directory.size() + 1);
  }
  return std::unexpected(exec_error(command, refused != 0 ? refused : ENOENT, false));
}

// Also without init the command is executed by berth-init, and not from a file of the host's that could be
// written: a command /proc/self/exe, or a script with that interpreter, would execute that file in the
// container and could open it for writing from there (CVE-2019-5736).
Error execute(const Execution& execution) {
  std::vector<char*> environment = pointers(execution.environment);
  restore_signals();
  if (execution.init_program < 0) {
    std::vector<char*> words = pointers(execution.argv);
    ::execve(execution.path.c_str(), words.data(), environment.data());
    return exec_error(execution.argv.empty() ? execution.path : execution.argv.front(), errno, true);
  }
  // By the other name it does not fork.
  std::vector<std::string> words{execution.init ? "berth-init" : "berth-exec",
                                 std::to_string(execution.status), execution.path};
  words.insert(words.end(), execution.argv.begin(), execution.argv.end());
  std::vector<char*> argv = pointers(words);
  // berth-init keeps it until its child has executed the command; it closes it in the child by itself.
  if (::fcntl(execution.status, F_SETFD, 0) != 0)
    return fail_errno(errno, "pass the status pipe to berth-init").error();
  ::syscall(SYS_execveat, execution.init_program, "", argv.data(), environment.data(), AT_EMPTY_PATH);
  if (errno == E2BIG)
    return exec_error(execution.argv.empty() ? execution.path : execution.argv.front(), E2BIG, true);
  return fail_errno(errno, "execute berth-init").error();
}

}  // namespace berth::runtime
