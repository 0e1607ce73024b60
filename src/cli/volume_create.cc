// `berth volume create`.
#include "cli/flag_values.h"
#include "cli/flags.h"
#include "cli/volumes.h"
#include "engine/volumes/volume_admin.h"

namespace berth::cli {

Result<int> create_volume(const Invocation& invocation) {
  std::string driver = "local";
  std::vector<std::string> labels;
  bool ignore = false;
  std::string name;
  Flags line(
      invocation, "[flags] [NAME]",
      "Makes a volume and prints its name. The first container that uses it fills it with what its image "
      "has at that place.",
      "  berth volume create data\n  berth volume create --label team=web data\n");
  line.value("-d,--driver", driver, "local, the only one there is", {.choices = {"local"}});
  line.flag("--ignore", ignore, "No error if it is there already");
  line.list("-l,--label", labels, "KEY=VALUE");
  line.word("name", name, Need::optional);
  if (!TRY(line.parse())) return 0;
  std::map<std::string, std::string> pairs;
  for (const std::string& text : labels) {
    const engine::Pair pair = TRY(parse_pair("--label", text));
    pairs[pair.key] = pair.value;
  }
  store::Store store = TRY(open_store(invocation));
  const Result<std::string> made = engine::create_volume(store, name, pairs);
  if (!made && !(ignore && made.error().code == Code::conflict)) return std::unexpected(made.error());
  fmt::print("{}\n", made ? *made : name);
  return 0;
}

}  // namespace berth::cli
