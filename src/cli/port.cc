// `berth port`.
#include <algorithm>

#include "base/fields.h"
#include "cli/container_network.h"
#include "cli/containers.h"
#include "cli/flags.h"
#include "cli/named_or_latest.h"
#include "cli/recovered_store.h"
#include "store/containers.h"

namespace berth::cli {

namespace {

struct Wanted {
  uint16_t port = 0;  // 0: all
  std::string protocol = "tcp";
};

// "80" or "80/udp".
Result<Wanted> parse_wanted(const std::string& text) {
  std::string_view rest = text;
  const auto port = whole_number<uint16_t>(take_until(rest, '/'));
  Wanted wanted{port.value_or(0), rest.empty() ? "tcp" : std::string(rest)};
  if (port && *port != 0 &&
      (wanted.protocol == "tcp" || wanted.protocol == "udp" || wanted.protocol == "sctp"))
    return wanted;
  return fail(Code::usage, "\"{}\" is no port: it is a number such as 80, 80/tcp or 53/udp", text);
}

std::string host_text(const PortView& port, uint16_t offset) {
  const bool is_ipv6 = port.host.find(':') != std::string::npos;
  return fmt::format("{}:{}", is_ipv6 ? "[" + port.host + "]" : port.host, port.host_port + offset);
}

// True if there was one.
bool print_ports(const store::ContainerRecord& record, const std::vector<PortView>& ports,
                 const Wanted& wanted, bool named) {
  bool any = false;
  const std::string prefix = named ? record.id.substr(0, 12) + "\t" : "";
  for (const PortView& port : ports) {
    for (uint16_t offset = 0; offset < port.count; ++offset) {
      const auto inside = static_cast<uint16_t>(port.container_port + offset);
      if (wanted.port == 0) {
        fmt::print("{}{}/{} -> {}\n", prefix, inside, port.protocol, host_text(port, offset));
        any = true;
      } else if (wanted.port == inside && wanted.protocol == port.protocol) {
        fmt::print("{}{}\n", prefix, host_text(port, offset));
        any = true;
      }
    }
  }
  return any;
}

}  // namespace

Result<int> port(const Invocation& invocation) {
  bool all = false;
  bool latest = false;
  std::optional<std::string> container;
  std::optional<std::string> text;
  Flags line(invocation, "[flags] CONTAINER [PORT[/PROTOCOL]]",
             "Lists the ports of a container that are published on the host, or says where one of them is.",
             "  berth port web\n  berth port web 80\n  berth port --all\n");
  line.flag("-a,--all", all, "Of all containers that run");
  line.flag("-l,--latest", latest, "Of the container that was made last");
  line.word("container", container, Need::optional);
  line.word("port", text, Need::optional);
  if (!TRY(line.parse())) return 0;
  if (latest && container && !text) std::swap(container, text);
  if (int{all} + int{latest} + int{container.has_value()} != 1)
    return fail(Code::usage, "berth port: name a container, or give --all or --latest, one of the three");
  const Wanted wanted = text ? TRY(parse_wanted(*text)) : Wanted{};
  store::Store store = TRY(open_recovered_store(invocation));
  std::vector<std::string> named;
  if (container) named.push_back(*container);
  const std::vector<store::ContainerRecord> records =
      all ? TRY(store::list_containers(store.db(), store::kRunning))
          : TRY(named_or_latest(store, named, latest));
  bool any = false;
  for (const store::ContainerRecord& record : records) {
    const engine::ContainerSpec spec = TRY(engine::container_spec_from_json(record.spec));
    any = print_ports(record, published_ports(spec), wanted, all) || any;
  }
  if (!any && text) return fail(Code::not_found, "the container does not publish the port {}", *text);
  return 0;
}

}  // namespace berth::cli
