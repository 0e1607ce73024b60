#include "engine/network/network_files.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fields.h"
#include "engine/container/status.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

constexpr size_t kLargestHostFile = size_t{1} << 20;
// resolv.conf(5), MAXNS.
constexpr size_t kMostNameservers = 3;
constexpr const char* kSearchDomain = "dns.berth";

std::string_view take_word(std::string_view& line) {
  const size_t begin = std::min(line.find_first_not_of(" \t"), line.size());
  line.remove_prefix(begin);
  const size_t end = std::min(line.find_first_of(" \t"), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

struct Resolver {
  std::vector<std::string> nameservers;
  std::vector<std::string> searches;
  std::vector<std::string> options;
};

// What resolv.conf(5) says, without what a container could not use or what is no word of it.
Resolver parse_resolver(std::string_view text) {
  Resolver resolver;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view key = take_word(line);
    std::vector<std::string>* list = key == "nameserver"                  ? &resolver.nameservers
                                     : key == "search" || key == "domain" ? &resolver.searches
                                     : key == "options"                   ? &resolver.options
                                                                          : nullptr;
    if (list == nullptr) continue;
    // The last of these lines counts.
    if (list == &resolver.searches) list->clear();
    while (true) {
      const std::string_view word = take_word(line);
      if (word.empty() || word.front() == '#' || word.front() == ';') break;
      list->emplace_back(word);
    }
  }
  return resolver;
}

const net::Address* gateway_of(const TakenNetwork& taken, bool v6) {
  for (const ledger::NetworkSubnet& subnet : taken.network.subnets) {
    if (subnet.subnet.is_v6() == v6) return &subnet.gateway;
  }
  return nullptr;
}

// The host, as the container reaches it: the gateway of its first network.
std::string host_address(const NetworkFiles& files) {
  for (const TakenNetwork& taken : files.networks) {
    for (const bool v6 : {false, true}) {
      if (const net::Address* gateway = gateway_of(taken, v6)) return gateway->text();
    }
  }
  return files.spec.network == kHostNetwork ? "127.0.0.1" : "";
}

bool reaches_v6(const NetworkFiles& files) {
  return std::any_of(files.networks.begin(), files.networks.end(),
                     [](const TakenNetwork& taken) { return taken.lease.v6.has_value(); });
}

bool reaches_out(const NetworkFiles& files) {
  return std::any_of(files.networks.begin(), files.networks.end(),
                     [](const TakenNetwork& taken) { return !taken.network.internal; });
}

std::vector<std::string> nameservers_of(const NetworkFiles& files, const Resolver& host) {
  std::vector<std::string> servers;
  if (files.name_server) {
    // These ask whoever --dns names.
    for (const TakenNetwork& taken : files.networks) {
      const net::Address* gateway = gateway_of(taken, false);
      if (gateway == nullptr) gateway = gateway_of(taken, true);
      if (taken.network.dns && gateway != nullptr) servers.push_back(gateway->text());
    }
  }
  if (servers.empty()) servers = files.spec.networking.dns;
  const bool hosts_own = files.spec.network == kHostNetwork;
  if (servers.empty() && (hosts_own || reaches_out(files))) {
    for (const std::string& text : host.nameservers) {
      const std::optional<net::Address> address = net::Address::parse(text);
      const bool usable = address && !address->is_loopback() && !address->is_unspecified() &&
                          (!address->is_v6() || reaches_v6(files));
      if (hosts_own || usable) servers.push_back(text);
    }
  }
  servers.resize(std::min(servers.size(), kMostNameservers));
  return servers;
}

std::string line_of(std::string_view key, const std::vector<std::string>& words) {
  return words.empty() ? "" : fmt::format("{} {}\n", key, fmt::join(words, " "));
}

class FileWriter {
 public:
  FileWriter(int directory, const idmap::IdMap& uids, const idmap::IdMap& gids)
      : directory_(directory), uid_(uids.to_host(ContainerUid(0))), gid_(gids.to_host(ContainerGid(0))) {}

  // Nobody else looks at them before the container runs.
  [[nodiscard]] Result<> write(const char* name, const std::string& text) const {
    const sys::UniqueFd file =
        TRY(sys::open_at(directory_, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644));
    // Whatever the caller's umask: the container's users read them.
    if (::fchmod(file.get(), 0644) != 0) return fail_errno(errno, "chmod {}", name);
    if (uid_ && gid_ && ::fchown(file.get(), uid_->value(), gid_->value()) != 0)
      return fail_errno(errno, "give {} to the container's root", name);
    return sys::write_all(file.get(), text);
  }

 private:
  int directory_;
  std::optional<HostUid> uid_;
  std::optional<HostGid> gid_;
};

}  // namespace

std::string hosts_text(const NetworkFiles& files, std::string_view host) {
  std::string text = files.spec.network == kHostNetwork && !host.empty()
                         ? std::string(host)
                         : "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  if (!text.ends_with('\n')) text += '\n';
  const std::string gateway = host_address(files);
  for (const HostEntrySpec& entry : files.spec.networking.hosts) {
    const std::string& address = entry.address.empty() ? gateway : entry.address;
    if (!address.empty()) text += fmt::format("{}\t{}\n", address, entry.name);
  }
  if (files.networks.empty()) {
    text += fmt::format("127.0.1.1\t{}\n", files.hostname);
    return text;
  }
  text += fmt::format("{}\t{}\n", gateway, kHostNames);
  const bool same = files.name.empty() || files.name == files.hostname;
  for (const TakenNetwork& taken : files.networks) {
    for (const std::optional<net::Address>* address : {&taken.lease.v4, &taken.lease.v6}) {
      if (*address)
        text += fmt::format("{}\t{}{}{}\n", (*address)->text(), files.hostname, same ? "" : " ",
                            same ? "" : files.name);
    }
  }
  return text;
}

std::string resolv_conf_text(const NetworkFiles& files, std::string_view host) {
  const NetworkSpec& asked = files.spec.networking;
  const bool untouched = asked.dns.empty() && asked.searches.empty() && asked.dns_options.empty();
  if (files.spec.network == kHostNetwork && untouched) return std::string(host);
  const bool isolated = files.networks.empty() && files.spec.network != kHostNetwork;
  const Resolver resolver = isolated ? Resolver() : parse_resolver(host);
  std::vector<std::string> searches = asked.searches;
  if (searches.empty()) {
    if (files.name_server) searches.emplace_back(kSearchDomain);
    searches.insert(searches.end(), resolver.searches.begin(), resolver.searches.end());
  }
  std::erase(searches, ".");
  return line_of("search", searches) + [&] {
    std::string lines;
    for (const std::string& server : nameservers_of(files, resolver))
      lines += line_of("nameserver", {server});
    return lines;
  }() + line_of("options", asked.dns_options.empty() ? resolver.options : asked.dns_options);
}

bool lacks_nameserver(std::string_view resolv_conf) {
  return parse_resolver(resolv_conf).nameservers.empty();
}

std::string host_resolv_conf() {
  const auto read = [](const char* path) {
    return sys::read_file_at(AT_FDCWD, path, kLargestHostFile).value_or(std::string());
  };
  std::string text = read("/etc/resolv.conf");
  const std::vector<std::string> servers = parse_resolver(text).nameservers;
  const bool local =
      !servers.empty() && std::all_of(servers.begin(), servers.end(), [](const std::string& server) {
        const auto address = net::Address::parse(server);
        return address && address->is_loopback();
      });
  if (!local) return text;
  // What systemd-resolved asks itself (systemd-resolved.service(8)).
  std::string behind = read("/run/systemd/resolve/resolv.conf");
  return behind.empty() ? text : behind;
}

Result<> write_network_files(const store::Store& store, const std::string& id, const NetworkFiles& files,
                             const idmap::IdMap& uids, const idmap::IdMap& gids,
                             std::vector<std::string>& warnings) {
  const std::string path = container_directory(id);
  TRY(sys::ensure_dir_at(store.run_root(), path, 0700));
  const sys::UniqueFd directory =
      TRY(sys::open_at(store.run_root(), path, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  const FileWriter writer(directory.get(), uids, gids);
  const bool hosts_network = files.spec.network == kHostNetwork;
  std::string host_hosts;
  if (hosts_network)
    host_hosts = sys::read_file_at(AT_FDCWD, "/etc/hosts", kLargestHostFile).value_or(std::string());
  TRY(writer.write("hosts", hosts_text(files, host_hosts)));
  TRY(writer.write("hostname", files.hostname + "\n"));
  const bool isolated = files.networks.empty() && !hosts_network;
  const std::string resolv_conf = resolv_conf_text(files, isolated ? std::string() : host_resolv_conf());
  if (reaches_out(files) && lacks_nameserver(resolv_conf)) {
    warnings.emplace_back(
        "the container has no nameserver: the host's are on its loopback, which is not the container's; "
        "--dns names "
        "another");
  }
  TRY(writer.write("resolv.conf", resolv_conf));
  return note_leases(store, id, files.networks);
}

}  // namespace berth::engine
