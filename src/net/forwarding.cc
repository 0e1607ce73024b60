#include "net/forwarding.h"

#include <vector>

#include <fcntl.h>

#include "sys/file.h"

namespace berth::net {

namespace {

constexpr size_t kLongestValue = 64;

Result<bool> is(int directory, const std::string& path, char value) {
  const std::string text = TRY(sys::read_file_at(directory, path, kLongestValue));
  return !text.empty() && text.front() == value;
}

Result<> keep_listening_to_routers() {
  const sys::UniqueFd interfaces =
      TRY(sys::open_at(AT_FDCWD, "/proc/sys/net/ipv6/conf", O_RDONLY | O_DIRECTORY));
  const std::vector<std::string> names = TRY(sys::list_dir(interfaces.get()));
  for (const std::string& name : names) {
    if (name == "all" || name == "default" || name == "lo") continue;
    const std::string path = name + "/accept_ra";
    // It may be gone by now.
    const Result<bool> listens = is(interfaces.get(), path, '1');
    if (!listens || !*listens) continue;
    TRY(sys::write_control_file(interfaces.get(), path, "2"));
  }
  return {};
}

}  // namespace

Result<std::optional<std::string>> let_forward(bool v6) {
  const std::string path = v6 ? "/proc/sys/net/ipv6/conf/all/forwarding" : "/proc/sys/net/ipv4/ip_forward";
  const Result<bool> off = is(AT_FDCWD, path, '0');
  // A kernel without IPv6 has said so already when the address was to be set.
  if (!off || !*off) return std::nullopt;
  const char* name = v6 ? "net.ipv6.conf.all.forwarding" : "net.ipv4.ip_forward";
  const auto turn_on = [&]() -> Result<> {
    if (v6) TRY(keep_listening_to_routers());
    return sys::write_control_file(AT_FDCWD, path, "1");
  };
  if (const Result<> done = turn_on(); !done)
    return fmt::format(
        "The host does not forward ({}=0), and that can't be changed: {}. Containers have no way out.", name,
        done.error().message);
  return fmt::format("The host did not forward; now it does ({}=1), for containers to have a way out.", name);
}

}  // namespace berth::net
