// How fast TCP is from one network namespace to another:
//
//     stream serve PORT                   takes what comes, for ever
//     stream send ADDRESS PORT MEGABYTES  prints how many milliseconds it took until the other end has had
//     all
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr size_t kBlock = size_t{256} << 10;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

sockaddr_in endpoint(const char* address, const char* port) {
  sockaddr_in made{};
  made.sin_family = AF_INET;
  made.sin_port = htons(static_cast<uint16_t>(std::strtoul(port, nullptr, 10)));
  if (::inet_pton(AF_INET, address, &made.sin_addr) != 1) give_up("no address");
  return made;
}

[[noreturn]] void serve(const char* port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in own = endpoint("0.0.0.0", port);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 || ::listen(fd, 8) != 0)
    give_up("listen");
  std::vector<char> block(kBlock);
  while (true) {
    const int accepted = ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
    while (::read(accepted, block.data(), block.size()) > 0) continue;
    // The sender's end is the receipt.
    ::close(accepted);
  }
}

void send_all(const char* address, const char* port, size_t megabytes) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in to = endpoint(address, port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) give_up("connect");
  const std::vector<char> block(kBlock, 'x');
  const auto began = std::chrono::steady_clock::now();
  for (size_t left = megabytes * 1'000'000; left > 0;) {
    const ssize_t sent = ::send(fd, block.data(), std::min(left, block.size()), MSG_NOSIGNAL);
    if (sent <= 0) give_up("send");
    left -= static_cast<size_t>(sent);
  }
  ::shutdown(fd, SHUT_WR);
  char end = 0;
  if (::read(fd, &end, 1) != 0) give_up("receipt");
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
  std::printf("%.3f\n", took.count());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "serve" && argc == 3) serve(argv[2]);
  if (what != "send" || argc != 5) return 2;
  send_all(argv[2], argv[3], std::strtoul(argv[4], nullptr, 10));
  return 0;
}
