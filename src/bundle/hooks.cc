#include "bundle/config_parts.h"

namespace berth::bundle {

namespace {

// Each is a process that create, start or delete waits for.
constexpr size_t kMaxHooks = 256;
constexpr size_t kMaxArguments = 4096;

Result<std::optional<int>> read_timeout(const JsonView& hook) {
  const auto view = TRY(hook.find("timeout"));
  if (!view) return std::optional<int>();
  const int seconds = TRY(view->number<int>());
  if (seconds <= 0) return view->refuse_value("is not allowed, it must be greater than 0");
  return std::optional(seconds);
}

Result<std::vector<Hook>> read_list_of_hooks(const JsonView& hooks, std::string_view key) {
  std::vector<Hook> out;
  for (const JsonView& view : TRY(read_list(hooks, key, kMaxHooks))) {
    Hook hook;
    const JsonView path = TRY(view.member("path"));
    hook.path = TRY(read_absolute_path(path));
    hook.args = TRY(read_strings(view, "args", kMaxArguments));
    hook.env = TRY(read_environment(view, "env"));
    hook.timeout = TRY(read_timeout(view));
    out.push_back(std::move(hook));
  }
  return out;
}

}  // namespace

Result<Hooks> read_hooks(const JsonView& config) {
  Hooks out;
  const auto view = TRY(config.find("hooks"));
  if (!view) return out;
  out.prestart = TRY(read_list_of_hooks(*view, "prestart"));
  out.create_runtime = TRY(read_list_of_hooks(*view, "createRuntime"));
  out.create_container = TRY(read_list_of_hooks(*view, "createContainer"));
  out.start_container = TRY(read_list_of_hooks(*view, "startContainer"));
  out.poststart = TRY(read_list_of_hooks(*view, "poststart"));
  out.poststop = TRY(read_list_of_hooks(*view, "poststop"));
  return out;
}

}  // namespace berth::bundle
