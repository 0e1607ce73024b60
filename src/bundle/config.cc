#include "bundle/config.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/fields.h"
#include "bundle/config_parts.h"
#include "oci/strict_json.h"

namespace berth::bundle {

namespace {

constexpr const char* kName = "config.json";
constexpr size_t kMaxHostname = 64;  // __NEW_UTS_LEN, uname(2)
constexpr size_t kMaxAnnotations = size_t{1} << 16;

// The numbers of "1.2.3-rc.1+build" (semver.org, version 2.0.0).
struct Version {
  uint32_t major = 0;
  uint32_t minor = 0;
};

std::optional<uint32_t> version_number(std::string_view text) {
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return whole_number<uint32_t>(text);
}

// Dot-separated identifiers of letters, digits and '-', none of them empty.
bool are_identifiers(std::string_view text) {
  constexpr std::string_view kAllowed = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-";
  for (bool more = true; more;) {
    more = text.find('.') != std::string_view::npos;
    const std::string_view part = take_until(text, '.');
    if (part.empty() || part.find_first_not_of(kAllowed) != std::string_view::npos) return false;
  }
  return true;
}

std::optional<Version> parse_version(std::string_view text) {
  const size_t core_end = std::min(text.find_first_of("-+"), text.size());
  std::string_view core = text.substr(0, core_end);
  std::string_view rest = text.substr(core_end);
  if (rest.starts_with('-')) {
    const size_t end = std::min(rest.find('+'), rest.size());
    if (!are_identifiers(rest.substr(1, end - 1))) return std::nullopt;
    rest.remove_prefix(end);
  }
  if (rest.starts_with('+') && !are_identifiers(rest.substr(1))) return std::nullopt;
  const auto major = version_number(take_until(core, '.'));
  const auto minor = version_number(take_until(core, '.'));
  if (!major || !minor || !version_number(core)) return std::nullopt;
  return Version{*major, *minor};
}

// Within a major version a newer document is still understood, but for what is new in it.
Result<std::string> read_version(const JsonView& document, Warnings& warnings) {
  const JsonView view = TRY(document.member("ociVersion"));
  std::string text = TRY(view.string());
  const std::optional<Version> version = parse_version(text);
  if (!version) return view.refuse_value("is not allowed, it must be a version such as \"1.2.0\"");
  if (version->major != 1) return view.refuse_value("is not allowed, only versions 1.x.y are known");
  if (version->minor > parse_version(kNewestVersion)->minor) {
    warn(warnings, view,
         fmt::format("{} is newer than {}, what is new in it is ignored", view.shown(), kNewestVersion));
  }
  return text;
}

Result<Root> read_root(const JsonView& document) {
  const JsonView view = TRY(document.member("root"));
  const JsonView path = TRY(view.member("path"));
  Root root;
  root.path = TRY(path.string());
  if (root.path.empty()) return path.refuse_value("is not allowed");
  root.readonly = TRY(view.boolean_or_false("readonly"));
  return root;
}

// Without a UTS namespace it would be the host's name.
Result<std::string> read_host_name(const JsonView& document, std::string_view key,
                                   const std::vector<Namespace>& namespaces) {
  std::string name = TRY(read_line(document, key));
  if (name.empty()) return name;
  const JsonView view = TRY(document.member(key));
  if (name.size() > kMaxHostname) {
    return view.refuse_value(fmt::format("is not allowed, it has more than {} bytes", kMaxHostname));
  }
  if (find_namespace(namespaces, NamespaceType::uts) == nullptr) {
    return view.refuse_value("is not allowed without a namespace of type \"uts\"");
  }
  return name;
}

// The field and the sysctl are one setting.
Result<> refuse_two_names(const JsonView& document, const Config& config) {
  for (const Sysctl& sysctl : config.linux_part.sysctls) {
    for (const std::string_view key : {"hostname", "domainname"}) {
      const std::string& field = key == "hostname" ? config.hostname : config.domainname;
      if (field.empty() || sysctl.path != fmt::format("kernel/{}", key)) continue;
      const JsonView view = TRY(document.member(key));
      return view.refuse_value(fmt::format("is not allowed, linux.sysctl sets kernel.{} too", key));
    }
  }
  return {};
}

Result<ParsedConfig> read_config(const JsonView& document) {
  ParsedConfig out;
  Config& config = out.config;
  config.oci_version = TRY(read_version(document, out.warnings));
  config.root = TRY(read_root(document));
  if (const auto linux_part = TRY(document.find("linux"))) config.linux_part = TRY(read_linux(*linux_part));
  if (const auto process = TRY(document.find("process"))) {
    config.process = TRY(read_process(*process, out.warnings));
  }
  const std::vector<Namespace>& namespaces = config.linux_part.namespaces;
  config.hostname = TRY(read_host_name(document, "hostname", namespaces));
  config.domainname = TRY(read_host_name(document, "domainname", namespaces));
  TRY(refuse_two_names(document, config));
  config.mounts = TRY(read_mounts(document, namespaces, out.warnings));
  config.hooks = TRY(read_hooks(document));
  config.annotations = TRY(read_string_map(document, "annotations", kMaxAnnotations));
  return out;
}

}  // namespace

Result<ParsedConfig> parse_config(std::string_view text) {
  const nlohmann::json document = TRY_CONTEXT(oci::parse_strict_json(text, kMaxConfigBytes), "{}", kName);
  return read_config(JsonView(document, kName, JsonView::Values::shown));
}

}  // namespace berth::bundle
