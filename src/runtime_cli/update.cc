// `berth-runtime update`.
#include "lifecycle/update.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "bundle/config.h"
#include "runtime_cli/command.h"
#include "runtime_cli/update_flags.h"
#include "sys/file.h"

namespace berth::runtime_cli {

namespace {

// Taken because scripts give them; none of them changes anything here.
struct Unsupported {
  std::string kernel_memory, cache_schema, bandwidth_schema;
};

Result<> check(const Unsupported& given) {
  if (!given.cache_schema.empty() || !given.bandwidth_schema.empty())
    return fail(Code::refused,
                "--l3-cache-schema and --mem-bw-schema need Intel RDT, which is not supported");
  if (!given.kernel_memory.empty())
    log::warn("--kernel-memory is ignored: the kernel no longer has such a limit");
  return {};
}

Result<bundle::Resources> read_resources(const std::string& path) {
  if (path == "-") {
    const std::string text =
        TRY_CONTEXT(sys::read_all(STDIN_FILENO, bundle::kMaxConfigBytes), "the standard input");
    return bundle::parse_resources(text);
  }
  const sys::UniqueFd file = TRY(sys::open_at(AT_FDCWD, path, O_RDONLY));
  const std::string text = TRY_CONTEXT(sys::read_all(file.get(), bundle::kMaxConfigBytes), "{}", path);
  return TRY_CONTEXT(bundle::parse_resources(text), "{}", path);
}

}  // namespace

Result<int> update_command(const Invocation& invocation) {
  std::string id;
  std::string file;
  UpdateValues values;
  Unsupported unsupported;
  flags::Flags line(invocation, "[flags] ID",
                    "Changes the limits of a container; what is not named stays as it is.",
                    "  berth-runtime update --memory 512m web\n"
                    "  echo '{\"pids\": {\"limit\": 100}}' | berth-runtime update --resources - web\n");
  line.value("-r,--resources", file,
             "Read linux.resources from there, - is the standard input; other flags do not count then",
             {.shown = "FILE"});
  for (size_t i = 0; i < values.size(); ++i)
    line.value(kUpdateFlags.at(i).name, values.at(i), kUpdateFlags.at(i).help, {.shown = "VALUE"});
  line.value("--kernel-memory", unsupported.kernel_memory, "Ignored", {.shown = "VALUE"});
  line.value("--l3-cache-schema", unsupported.cache_schema, "Not supported");
  line.value("--mem-bw-schema", unsupported.bandwidth_schema, "Not supported");
  line.word("id", id, flags::Need::required);
  if (!TRY(line.parse())) return 0;
  TRY(check(unsupported));
  const lifecycle::Root root = TRY(open_root(invocation));
  const bundle::Resources resources = file.empty() ? TRY(resources_of(values)) : TRY(read_resources(file));
  TRY(lifecycle::update(root, id, resources));
  return 0;
}

}  // namespace berth::runtime_cli
