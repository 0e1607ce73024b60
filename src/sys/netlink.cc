#include "sys/netlink.h"

#include <algorithm>
#include <cerrno>

#include <linux/netlink.h>
#include <sys/socket.h>

namespace berth::sys {

namespace {

// Larger than any datagram of the kernel's (NLMSG_GOODSIZE, at most a page of 8 KiB; dumps up to 32 KiB).
constexpr size_t kLargestDatagram = size_t{64} << 10;

std::string context_of(std::string what, std::string_view explanation) {
  return explanation.empty() ? std::move(what) : fmt::format("{} ({})", what, printable(explanation));
}

}  // namespace

Result<NetlinkSocket> NetlinkSocket::open(int family) {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family));
  if (!fd) return fail_errno(errno, "open a netlink socket");
  // Without these errors have numbers alone, and carry the request that we know.
  const int on = 1;
  ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  // Strict: the kernel filters what it lists (RTM_GETROUTE of one table).
  ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  return NetlinkSocket(std::move(fd));
}

Result<> NetlinkSocket::send(const NetlinkRequests& requests) {
  const std::string bytes = requests.bytes(next_);
  // The kernel takes it in one piece: room for a large transaction; beyond the limit, as root.
  const int room = static_cast<int>(std::max(bytes.size() * 2, kLargestDatagram));
  if (bytes.size() > kLargestDatagram)
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const ssize_t sent = ::sendto(fd_.get(), bytes.data(), bytes.size(), 0,
                                reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
  if (sent < 0) return fail_errno(errno, "ask the kernel by netlink");
  return {};
}

Result<std::string> NetlinkSocket::receive() const {
  std::string datagram(kLargestDatagram, '\0');
  sockaddr_nl from{};
  socklen_t length = sizeof from;
  const ssize_t received = ::recvfrom(fd_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_TRUNC,
                                      reinterpret_cast<sockaddr*>(&from), &length);
  if (received < 0) return fail_errno(errno, "hear the kernel's answer by netlink");
  if (static_cast<size_t>(received) > datagram.size()) return fail("the kernel's answer is too long");
  // Other processes may send to this socket too.
  if (from.nl_pid != 0) return std::string();
  datagram.resize(static_cast<size_t>(received));
  return datagram;
}

Result<std::vector<NetlinkAnswer>> NetlinkSocket::exchange(
    const NetlinkRequests& requests, const std::function<void(const NetlinkMessage&)>& take) {
  const uint32_t first = next_;
  std::vector<NetlinkAnswer> answers(requests.count());
  size_t awaited = 0;
  for (size_t i = 0; i < requests.count(); ++i) {
    if ((requests.flags(i) & NLM_F_ACK) != 0) ++awaited;
  }
  TRY(send(requests));
  next_ += static_cast<uint32_t>(requests.count());
  while (awaited > 0) {
    const std::string datagram = TRY(receive());
    std::string_view rest = datagram;
    while (const std::optional<NetlinkMessage> message = take_message(rest)) {
      const uint32_t index = message->sequence - first;
      if (index >= answers.size()) continue;  // of an exchange before, that was not heard to its end
      const std::optional<NetlinkError> error = error_in(*message);
      if (!error) {
        if (take) take(*message);
        continue;
      }
      answers[index] = {true, error->err, std::string(error->explanation)};
      const bool acknowledges = (requests.flags(index) & NLM_F_ACK) != 0;
      // A transaction whose beginning fails is not looked at further.
      if (!acknowledges && index == 0) return answers;
      if (acknowledges) --awaited;
    }
  }
  return answers;
}

Result<> NetlinkSocket::carry_out(const NetlinkRequests& requests, const std::string& what) {
  const std::vector<NetlinkAnswer> answers = TRY(exchange(requests));
  for (const NetlinkAnswer& answer : answers) {
    if (answer.err != 0) return fail_answer(answer, what);
  }
  return {};
}

Result<> NetlinkSocket::list(const NetlinkRequests& request,
                             const std::function<void(const NetlinkMessage&)>& take) {
  const uint32_t sequence = next_;
  TRY(send(request));
  ++next_;
  while (true) {
    const std::string datagram = TRY(receive());
    std::string_view rest = datagram;
    while (const std::optional<NetlinkMessage> message = take_message(rest)) {
      if (message->sequence != sequence) continue;
      if (message->type == NLMSG_DONE) return {};
      const std::optional<NetlinkError> error = error_in(*message);
      if (!error) {
        take(*message);
      } else if (error->err != 0) {
        return fail_answer({true, error->err, std::string(error->explanation)}, "list by netlink");
      }
    }
  }
}

std::unexpected<Error> fail_answer(const NetlinkAnswer& answer, std::string what) {
  return fail_errno_text(answer.err, context_of(std::move(what), answer.explanation));
}

}  // namespace berth::sys
