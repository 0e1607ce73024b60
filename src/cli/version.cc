#include <nlohmann/json.hpp>

#include <sys/utsname.h>

#include "cli/flags.h"
#include "cli/json_text.h"
#include "cli/system.h"
#include "cli/template_rows.h"

namespace berth::cli {

Result<int> version(const Invocation& invocation) {
  std::string format;
  Flags line(invocation, "[flags]", "Prints berth's version.",
             "  berth version\n  berth version --format {{.Version}}\n");
  line.value("-f,--format", format, "json, or a template: \"{{.Version}}\"");
  if (!TRY(line.parse())) return 0;
  if (format.empty()) {
    fmt::print("berth version {}\n", BERTH_VERSION);
    return 0;
  }
  utsname host{};
  ::uname(&host);
  const nlohmann::ordered_json program = {
      {"Version", BERTH_VERSION}, {"Os", "linux"}, {"Arch", host.machine}, {"KernelVersion", host.release}};
  nlohmann::ordered_json document = program;
  // There is no daemon: where Docker's and podman's scripts ask either, the same program answers.
  document["Client"] = program;
  document["Server"] = program;
  if (format == "json") {
    print_json(document);
    return 0;
  }
  TRY(print_template(nlohmann::ordered_json::array({document}), format, true));
  return 0;
}

}  // namespace berth::cli
