#include <nlohmann/json.hpp>

#include <sys/utsname.h>

#include "cli/flags.h"
#include "cli/json_text.h"
#include "cli/system.h"
#include "cli/template_rows.h"
#include "engine/network/network_admin.h"
#include "ledger/banks.h"
#include "store/containers.h"
#include "store/images.h"

namespace berth::cli {

Result<int> info(const Invocation& invocation) {
  std::string format;
  Flags line(
      invocation, "[flags]",
      "Says what berth has here: its version, its store, the host, the pool of banks; and what of the host "
      "stands in\nthe way of networks.",
      "  berth info\n  berth info --format json\n  berth info --format {{.banks.held}}\n");
  line.value("-f,--format", format, "text (default), json, or a template: \"{{.version}}\"");
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(open_store(invocation));
  utsname host{};
  ::uname(&host);
  const size_t containers = TRY(store::list_containers(store.db())).size();
  const size_t images = TRY(store::list_images(store)).size();
  const size_t held = TRY(ledger::held_banks(store.db())).size();
  const std::vector<ledger::Network> networks = TRY(ledger::list_networks(store.db()));
  const std::vector<std::string> warnings = engine::warnings_of_networks(networks);
  const nlohmann::ordered_json document = {{"version", BERTH_VERSION},
                                           {"root", store.locations().root},
                                           {"runroot", store.locations().run_root},
                                           {"kernel", host.release},
                                           {"architecture", host.machine},
                                           {"containers", containers},
                                           {"images", images},
                                           {"networks", networks.size()},
                                           {"banks",
                                            {{"size", kBankSize},
                                             {"first", ledger::kFirstBank.base()},
                                             {"last", ledger::kLastBank.base()},
                                             {"total", ledger::kPoolBanks},
                                             {"held", held}}},
                                           {"warnings", warnings}};
  if (format == "json") {
    print_json(document);
    return 0;
  }
  if (!format.empty() && format != "text") {
    TRY(print_template(nlohmann::ordered_json::array({document}), format, true));
    return 0;
  }
  fmt::print("version:      {}\nstore:        {}\nrun state:    {}\nkernel:       {} ({})\n", BERTH_VERSION,
             store.locations().root, store.locations().run_root, host.release, host.machine);
  fmt::print("containers:   {}\nimages:       {}\nnetworks:     {}\n", containers, images, networks.size());
  fmt::print("banks:        {} of {} held, {} IDs each, from host ID {} on\n", held, ledger::kPoolBanks,
             kBankSize, ledger::kFirstBank.base());
  for (const std::string& warning : warnings) fmt::print("warning:      {}\n", warning);
  return 0;
}

}  // namespace berth::cli
