// Opens for writing what the processes of the container execute (CVE-2019-5736), and shows what that is.
#include <array>
#include <climits>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "attempts.h"

namespace {

constexpr int kAllSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

void attack_process(attack::Attempts& attempts, const std::string& process) {
  const std::string path = "/proc/" + process + "/exe";
  std::array<char, PATH_MAX> target{};
  if (::readlink(path.c_str(), target.data(), target.size() - 1) < 0) std::strcpy(target.data(), "?");
  std::printf("%s executes %s\n", process.c_str(), target.data());
  const int readable = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (readable >= 0) {
    std::printf("%s seals %d of %d\n", process.c_str(), ::fcntl(readable, F_GET_SEALS), kAllSeals);
    // Neither through the descriptor of it.
    const std::string again = "/proc/self/fd/" + std::to_string(readable);
    attempts.must_fail(::open(again.c_str(), O_RDWR | O_CLOEXEC), "reopen " + path);
  }
  attempts.must_fail(::open(path.c_str(), O_WRONLY | O_CLOEXEC), "open " + path + " for writing");
  attempts.must_fail(::open(path.c_str(), O_RDWR | O_TRUNC | O_CLOEXEC), "truncate " + path);
  attempts.must_fail(::truncate(path.c_str(), 0), "truncate(2) " + path);
}

}  // namespace

int main(int argc, char** argv) {
  attack::Attempts attempts;
  for (int i = 1; i < argc; ++i) {
    attack_process(attempts, std::string(argv[i]) == "parent" ? std::to_string(::getppid()) : argv[i]);
  }
  return attempts.finish();
}
