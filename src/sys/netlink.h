// Sockets to the kernel that speak netlink(7).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "sys/netlink_message.h"
#include "sys/unique_fd.h"

namespace berth::sys {

// How the kernel answered one request.
struct NetlinkAnswer {
  bool answered = false;    // those without NLM_F_ACK are only if they fail
  int err = 0;              // an errno
  std::string explanation;  // of the kernel's, for an error; mostly empty
};

class NetlinkSocket {
 public:
  // `family`: NETLINK_ROUTE, NETLINK_NETFILTER. It is of the network namespace that the caller is in.
  static Result<NetlinkSocket> open(int family);

  // Sends the requests in one message and gives the answers, one a request. The kernel has answered by the
  // time that they are sent, so this waits for nothing; an Error is of the socket itself. `take` gets every
  // other message that comes.
  Result<std::vector<NetlinkAnswer>> exchange(const NetlinkRequests& requests,
                                              const std::function<void(const NetlinkMessage&)>& take = {});

  // The same for requests that must all succeed; the first that does not becomes the Error, as `what`.
  Result<> carry_out(const NetlinkRequests& requests, const std::string& what);

  // For one request with NLM_F_DUMP: `take` gets what the kernel lists. What changes meanwhile may be listed
  // twice or not at all.
  Result<> list(const NetlinkRequests& request, const std::function<void(const NetlinkMessage&)>& take);

 private:
  explicit NetlinkSocket(UniqueFd fd) : fd_(std::move(fd)) {}
  [[nodiscard]] Result<> send(const NetlinkRequests& requests);
  [[nodiscard]] Result<std::string> receive() const;
  UniqueFd fd_;
  uint32_t next_ = 1;
};

// "what: ENOENT (No such file or directory): the kernel's explanation".
std::unexpected<Error> fail_answer(const NetlinkAnswer& answer, std::string what);

}  // namespace berth::sys
