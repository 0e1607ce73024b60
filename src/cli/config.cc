#include "cli/flags.h"
#include "cli/system.h"
#include "config/load.h"
#include "config/show.h"

namespace berth::cli {

Result<int> print_config(const Invocation& invocation) {
  std::string format = "toml";
  Flags line(invocation, "[flags]",
             "Prints the configuration that is in effect, and where each value comes from: a line of\n"
             "/etc/berth/berth.toml, of the file that BERTH_CONFIG names, or berth itself.",
             "  berth config\n  BERTH_CONFIG=ci.toml berth config --format json\n");
  line.value("--format", format, "toml (default) or json", {.choices = {"toml", "json"}});
  if (!TRY(line.parse())) return 0;
  const config::Config config = TRY(config::load(config::sources_from_environment()));
  fmt::print("{}", format == "json" ? config::show_json(config) : config::show_toml(config));
  return 0;
}

}  // namespace berth::cli
