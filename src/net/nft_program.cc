#include "net/nft_program.h"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/process.h"
#include "sys/sealed_program.h"
#include "sys/spawn.h"

namespace berth::net {

namespace {

constexpr const char* kHint =
    "Networks with published ports need nftables' program: apt install nftables (or --network none, host).";
// root's PATH need not have sbin in it.
constexpr std::array<const char*, 3> kPlaces{"/usr/sbin/nft", "/sbin/nft", "/usr/local/sbin/nft"};
constexpr size_t kLongestOutput = 64 * 1024;

// One place on the host that can be executed; nft in $PATH otherwise.
const char* program() {
  for (const char* place : kPlaces) {
    if (::access(place, X_OK) == 0) return place;
  }
  return "nft";
}

Result<pid_t> spawn(int script, int output) {
  Result<pid_t> pid =
      sys::spawn(program(), {"nft", "-f", "-"},
                 {.descriptors = {{STDIN_FILENO, script}, {STDOUT_FILENO, output}, {STDERR_FILENO, output}},
                  .close_from = STDERR_FILENO + 1});
  if (pid || pid.error().err != ENOENT) return pid;
  return std::unexpected(std::move(pid).error().with_hint(kHint));
}

}  // namespace

Result<> run_nft(const std::string& script) {
  constexpr int kPatienceMs = 30'000;
  const sys::UniqueFd input = TRY(sys::make_memory_file("berth-rules", script));
  const sys::UniqueFd output(::memfd_create("berth-nft", MFD_CLOEXEC));
  if (!output) return fail_errno(errno, "make a memory file");
  const pid_t pid = TRY(spawn(input.get(), output.get()));
  const sys::UniqueFd process = TRY(sys::open_process(pid));
  std::array<pollfd, 1> watched{{{process.get(), POLLIN, 0}}};
  if (sys::poll_process(watched, kPatienceMs) == 0) TRY(sys::send_signal(process.get(), SIGKILL));
  const siginfo_t ended = TRY(sys::wait_for(process.get()));
  if (sys::shell_status(ended) == 0) return {};
  if (::lseek(output.get(), 0, SEEK_SET) < 0) return fail_errno(errno, "read what nft says");
  const std::string said = TRY(sys::read_all(output.get(), kLongestOutput));
  return fail("nft ended with status {}: {}", sys::shell_status(ended),
              printable(std::string_view(said).substr(0, said.find('\n'))));
}

}  // namespace berth::net
