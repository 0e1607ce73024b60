#include "engine/network/name_server.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <map>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fields.h"
#include "base/log.h"
#include "engine/container/network_spec.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/spawn.h"

namespace berth::engine {

namespace {

constexpr const char* kDirectory = "names";       // below the run root
constexpr const char* kFiles = "names/networks";  // the server takes every file in it for a network's
constexpr const char* kLock = "names/lock";
constexpr const char* kPidFile = "aardvark.pid";  // the server's own
constexpr const char* kPort = "53";
constexpr const char* kSearchDomain = ".dns.berth";  // network_files.cc has containers search it
constexpr size_t kLargestFile = size_t{64} << 20;
constexpr size_t kShortId = 12;
constexpr std::array<const char*, 3> kPrograms{"/usr/libexec/podman/aardvark-dns",
                                               "/usr/lib/podman/aardvark-dns", "/usr/bin/aardvark-dns"};

const char* program() {
  const auto found = std::find_if(kPrograms.begin(), kPrograms.end(),
                                  [](const char* path) { return ::access(path, X_OK) == 0; });
  return found == kPrograms.end() ? nullptr : *found;
}

std::string files_path(const store::Store& store) {
  return fmt::format("{}/{}", store.locations().run_root, kFiles);
}

// The server, if it runs; its PID may be another process's by now.
sys::UniqueFd running_server(const store::Store& store) {
  constexpr size_t kLongest = 4096;
  const Result<std::string> text =
      sys::read_file_at(store.run_root(), fmt::format("{}/{}", kFiles, kPidFile), kLongest);
  const auto pid = text ? whole_number<pid_t>(*text) : std::nullopt;
  if (!pid || *pid <= 1) return {};
  Result<sys::UniqueFd> process = sys::open_process(*pid);
  if (!process) return {};
  const Result<std::string> words =
      sys::read_file_at(AT_FDCWD, fmt::format("/proc/{}/cmdline", *pid), kLongest);
  if (!words || words->find(files_path(store) + '\0') == std::string::npos) return {};
  return std::move(*process);
}

// It goes into the background by itself once it listens.
Result<> start_server(const store::Store& store) {
  const char* const path = program();
  if (path == nullptr) return {};
  const pid_t pid = TRY(sys::spawn_apart(path, {path, "--config", files_path(store), "--port", kPort,
                                                "--filter-search-domain", kSearchDomain, "run"}));
  const sys::UniqueFd process = TRY(sys::open_process(pid));
  const siginfo_t ended = TRY(sys::wait_for(process.get()));
  if (sys::shell_status(ended) == 0) return {};
  return fail("{} ended with status {}", path, sys::shell_status(ended));
}

// Without networks it would end by itself, some time after it is told of that: a network that comes meanwhile
// would be told to one that ends.
Result<> end_server(int process) {
  constexpr int kPatienceMs = 1000;
  TRY(sys::send_signal(process, SIGTERM));
  std::array<pollfd, 1> watched{{{process, POLLIN, 0}}};
  if (sys::poll_process(watched, kPatienceMs) == 0) TRY(sys::send_signal(process, SIGKILL));
  return {};
}

// What is to be in the directory, by name.
Result<std::map<std::string, std::string>> wanted_files(store::Store& store) {
  std::map<std::string, std::string> files;
  const std::vector<ledger::NameEntry> entries = TRY(ledger::name_entries(store.db()));
  if (entries.empty()) return files;
  std::map<std::string, std::vector<ledger::NameEntry>> by_bridge;
  for (const ledger::NameEntry& entry : entries) by_bridge[entry.bridge].push_back(entry);
  for (const ledger::Network& network : TRY(ledger::list_networks(store.db()))) {
    const auto found = by_bridge.find(network.bridge);
    if (found != by_bridge.end()) files[network.bridge] = name_server_file(network, found->second);
  }
  return files;
}

// True where something was changed.
Result<bool> write_files(const store::Store& store, const std::map<std::string, std::string>& wanted) {
  const sys::UniqueFd directory =
      TRY(sys::open_at(store.run_root(), kFiles, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  bool changed = false;
  // What a killed command has left half-written would be taken for a network as well.
  for (const std::string& name : TRY(sys::list_dir(directory.get()))) {
    if (wanted.contains(name) || name == kPidFile) continue;
    TRY(sys::remove_tree_at(directory.get(), name));
    changed = true;
  }
  for (const auto& [name, text] : wanted) {
    const Result<std::string> before = sys::read_file_at(directory.get(), name, kLargestFile);
    if (before && *before == text) continue;
    TRY(sys::replace_file_at(directory.get(), name, text, 0600, sys::Durability::none));
    changed = true;
  }
  return changed;
}

}  // namespace

bool has_name_server() {
  return program() != nullptr;
}

std::string name_server_file(const ledger::Network& network, const std::vector<ledger::NameEntry>& entries) {
  std::vector<std::string> gateways;
  for (const ledger::NetworkSubnet& subnet : network.subnets) gateways.push_back(subnet.gateway.text());
  // Nothing can be sent there, so what it does not know stays here.
  constexpr std::string_view kNobody = "255.255.255.255";
  std::string text = fmt::format("{}{}{}\n", fmt::join(gateways, ","), network.internal ? " " : "",
                                 network.internal ? kNobody : "");
  for (const ledger::NameEntry& entry : entries) {
    const auto or_none = [](const std::optional<net::Address>& address) {
      return address ? address->text() : std::string();
    };
    // A longer name is none in DNS.
    const std::string name = is_host_name(entry.name) ? entry.name + "," : "";
    text += fmt::format("{} {} {} {}{}{}{}", entry.container, or_none(entry.lease.v4),
                        or_none(entry.lease.v6), name, entry.container.substr(0, kShortId),
                        entry.aliases.empty() ? "" : ",", entry.aliases);
    const std::string_view asked = network.internal ? kNobody : std::string_view(entry.nameservers);
    text += fmt::format("{}{}\n", asked.empty() ? "" : " ", asked);
  }
  return text;
}

Result<> update_name_server(store::Store& store) {
  const bool used = sys::exists_at(store.run_root(), kFiles);
  if (!used && (!has_name_server() || TRY(ledger::name_entries(store.db())).empty())) return {};
  TRY(sys::ensure_dir_at(store.run_root(), kDirectory, 0700));
  TRY(sys::ensure_dir_at(store.run_root(), kFiles, 0700));
  const sys::FileLock lock = TRY(sys::FileLock::exclusive(store.run_root(), kLock));
  // Read under the lock, so that nobody writes what is older over what is newer.
  const std::map<std::string, std::string> wanted = TRY(wanted_files(store));
  const bool changed = TRY(write_files(store, wanted));
  fault::point("names-written");
  if (const sys::UniqueFd server = running_server(store)) {
    if (wanted.empty()) return end_server(server.get());
    if (changed) TRY(sys::send_signal(server.get(), SIGHUP));
    return {};
  }
  return wanted.empty() ? Result<>() : start_server(store);
}

void forget_names(store::Store& store) {
  if (!sys::exists_at(store.run_root(), kFiles)) return;
  if (const Result<> updated = update_name_server(store); !updated)
    log::warn("containers may not find one another by name: {}", updated.error().message);
}

}  // namespace berth::engine
