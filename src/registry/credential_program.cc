#include "registry/credential_program.h"

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oci/json.h"
#include "sys/file.h"
#include "sys/pipe.h"
#include "sys/spawn.h"

namespace berth::registry {

namespace {

constexpr std::chrono::seconds kTimeLimit{60};
constexpr size_t kMaxOutput = 64UL << 10;
// What helpers call a login by token.
constexpr std::string_view kTokenUser = "<token>";

// Reads until the other end closes, at most until the time is up.
Result<std::string> read_until_closed(int fd) {
  const auto deadline = std::chrono::steady_clock::now() + kTimeLimit;
  std::string out;
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return fail("it did not end within {} seconds", kTimeLimit.count());
    pollfd poll_fd{fd, POLLIN, 0};
    if (::poll(&poll_fd, 1, static_cast<int>(left.count())) <= 0) continue;
    std::array<char, 4096> buffer{};
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, "read its answer");
    if (n == 0) return out;
    if (out.size() + static_cast<size_t>(n) > kMaxOutput)
      return fail("it wrote more than {} bytes", kMaxOutput);
    out.append(buffer.data(), static_cast<size_t>(n));
  }
}

struct Answer {
  std::string output;
  bool succeeded = false;
};

Result<Answer> run(const std::string& name, const std::string& verb, const std::string& input) {
  const std::string program = "docker-credential-" + name;
  sys::Pipe to = TRY(sys::make_pipe());
  sys::Pipe from = TRY(sys::make_pipe());
  const pid_t pid = TRY(sys::spawn(
      program, {program, verb},
      {.descriptors = {{STDIN_FILENO, to.read_end.get()}, {STDOUT_FILENO, from.write_end.get()}}}));
  to.read_end.reset();
  from.write_end.reset();
  // A helper that does not read gives EPIPE; what it then answers tells more.
  [[maybe_unused]] const Result<> written = sys::write_all(to.write_end.get(), input);
  to.write_end.reset();
  Result<std::string> output = read_until_closed(from.read_end.get());
  if (!output) ::kill(pid, SIGKILL);
  const int status = TRY(sys::wait_for_child(pid));
  if (!output) return std::unexpected(std::move(output).error().context(program));
  return Answer{std::move(*output), WIFEXITED(status) && WEXITSTATUS(status) == 0};
}

std::unexpected<Error> failed(const std::string& name, const Answer& answer) {
  constexpr size_t kShown = 200;
  return fail("docker-credential-{} failed: {}", name,
              std::string_view(answer.output).substr(0, std::min(kShown, answer.output.find('\n'))));
}

}  // namespace

Result<std::optional<Login>> helper_get(const std::string& name, const std::string& registry) {
  const Answer answer = TRY(run(name, "get", registry));
  if (!answer.succeeded) {
    if (answer.output.find("credentials not found") != std::string::npos) return std::optional<Login>();
    return failed(name, answer);
  }
  const std::string program = "docker-credential-" + name;
  const nlohmann::json json = TRY_CONTEXT(oci::parse_json(answer.output, kMaxOutput), "{}", program);
  const oci::JsonView view(json, program + "'s answer");
  Login login;
  login.username = TRY(view.string_or_empty("Username"));
  login.password = TRY(view.string_or_empty("Secret"));
  if (login.username == kTokenUser) login.identity_token = std::exchange(login.password, {});
  return std::optional(std::move(login));
}

Result<> helper_store(const std::string& name, const std::string& registry, const Login& login) {
  const std::string input = TRY(
      oci::emit_json({{"ServerURL", registry}, {"Username", login.username}, {"Secret", login.password}}));
  const Answer answer = TRY(run(name, "store", input));
  if (!answer.succeeded) return failed(name, answer);
  return {};
}

Result<> helper_erase(const std::string& name, const std::string& registry) {
  const Answer answer = TRY(run(name, "erase", registry));
  if (!answer.succeeded) return failed(name, answer);
  return {};
}

}  // namespace berth::registry
