// -v, --mount and --tmpfs.
#include <climits>
#include <cstdlib>

#include "cli/flag_values.h"
#include "engine/volumes/mount_ids.h"

namespace berth::cli {

namespace {

std::unexpected<Error> bad_mount(std::string_view flag, std::string_view text, std::string_view why) {
  return fail(Code::usage, "{} {}: {}", flag, text, why);
}

Result<> check_target(std::string_view flag, std::string_view text, const std::string& target) {
  if (!target.starts_with('/')) {
    return bad_mount(flag, text,
                     fmt::format("the place in the container, \"{}\", must be an absolute path", target));
  }
  return {};
}

// A volume's name: as a container's, and never a path.
bool is_volume_name(std::string_view source) {
  return !source.empty() && source.find('/') == std::string_view::npos && source[0] != '.' &&
         source[0] != '-';
}

bool is_propagation(std::string_view option) {
  for (const std::string_view name : {"private", "slave", "shared", "rprivate", "rslave", "rshared"}) {
    if (option == name) return true;
  }
  return false;
}

// One of the short options that -v and --mount share. False if it is none of them.
bool apply_option(engine::MountSpec& mount, const std::string& option) {
  if (option == "ro" || option == "readonly") {
    mount.read_only = true;
  } else if (option == "rw") {
    mount.read_only = false;
  } else if (option == "bind" || option == "rbind") {
    mount.recursive = option == "rbind";
  } else if (is_propagation(option)) {
    mount.propagation = option;
  } else if (option == "z" || option == "Z" || option == "copy") {
    // SELinux labels, and what is done anyway: nothing to do here.
  } else {
    return false;
  }
  return true;
}

Result<std::string> absolute_source(std::string_view flag, std::string_view text, const std::string& source) {
  if (source.starts_with('/')) return source;
  std::string buffer(PATH_MAX, '\0');
  if (::realpath(source.c_str(), buffer.data()) == nullptr) {
    return bad_mount(flag, text, fmt::format("{} on the host: {}", source, describe_errno(errno)));
  }
  return std::string(buffer.c_str());
}

Result<bool> parse_bool(std::string_view text, const std::string& value) {
  if (value.empty() || value == "true" || value == "1") return true;
  if (value == "false" || value == "0") return false;
  return bad_mount("--mount", text, fmt::format("\"{}\" is neither true nor false", value));
}

Result<> apply_mount_field(engine::MountSpec& mount, std::string_view text, const std::string& key,
                           const std::string& value) {
  if (key == "type") {
    mount.type = value;
  } else if (key == "source" || key == "src") {
    mount.source = value;
  } else if (key == "target" || key == "destination" || key == "dst") {
    mount.target = value;
  } else if (key == "ro" || key == "readonly") {
    mount.read_only = TRY(parse_bool(text, value));
  } else if (key == "rw") {
    mount.read_only = !TRY(parse_bool(text, value));
  } else if (key == "bind-propagation") {
    if (!is_propagation(value))
      return bad_mount("--mount", text, fmt::format("there is no propagation \"{}\"", value));
    mount.propagation = value;
  } else if (key == "volume-nocopy") {
    if (TRY(parse_bool(text, value))) mount.options.emplace_back("nocopy");
  } else if (key == "bind-nonrecursive") {
    mount.recursive = !TRY(parse_bool(text, value));
  } else if (key == "tmpfs-size" || key == "tmpfs-mode") {
    mount.options.push_back(key.substr(6) + "=" + value);
  } else if (!value.empty() || !apply_option(mount, key)) {
    mount.options.push_back(value.empty() ? key : key + "=" + value);
  }
  return {};
}

}  // namespace

Result<engine::MountSpec> parse_volume(std::string_view text) {
  std::vector<std::string> parts = split(text, ':');
  // The one option with a colon in it: confine=USER:GROUP.
  if (parts.size() == 4 && parts[2].find("confine=") != std::string::npos) {
    parts[2] += ":" + parts[3];
    parts.pop_back();
  }
  if (parts.empty() || parts.size() > 3) return bad_mount("--volume", text, "it is SOURCE:TARGET[:OPTIONS]");
  engine::MountSpec mount{.type = "volume"};
  if (parts.size() == 1) {
    mount.target = parts[0];
  } else {
    mount.source = parts[0];
    mount.target = parts[1];
    if (mount.source.starts_with('/') || mount.source.starts_with('.')) {
      mount.type = "bind";
      mount.source = TRY(absolute_source("--volume", text, mount.source));
    } else if (!is_volume_name(mount.source)) {
      return bad_mount("--volume", text, "the source is neither a path (/… or ./…) nor the name of a volume");
    }
  }
  TRY(check_target("--volume", text, mount.target));
  if (parts.size() == 3) {
    for (const std::string& option : split(parts[2], ',')) {
      if (!apply_option(mount, option)) mount.options.push_back(option);
    }
  }
  TRY_CONTEXT(engine::mount_ids(mount), "--volume {}", text);
  return mount;
}

Result<engine::MountSpec> parse_mount(std::string_view text) {
  engine::MountSpec mount{.type = "volume"};
  for (const std::string& field : split(text, ',')) {
    const size_t equals = field.find('=');
    const std::string key = field.substr(0, equals);
    TRY(apply_mount_field(mount, text, key, equals == std::string::npos ? "" : field.substr(equals + 1)));
  }
  if (mount.type != "bind" && mount.type != "volume" && mount.type != "tmpfs") {
    return bad_mount("--mount", text,
                     fmt::format("the type is bind, volume or tmpfs, not \"{}\"", mount.type));
  }
  TRY(check_target("--mount", text, mount.target));
  if (mount.type == "bind") {
    if (mount.source.empty()) return bad_mount("--mount", text, "a bind mount needs source=PATH");
    mount.source = TRY(absolute_source("--mount", text, mount.source));
  } else if (mount.type == "tmpfs" && !mount.source.empty()) {
    return bad_mount("--mount", text, "a tmpfs has no source");
  } else if (mount.type == "volume" && !mount.source.empty() && !is_volume_name(mount.source)) {
    return bad_mount("--mount", text, fmt::format("\"{}\" can't be the name of a volume", mount.source));
  }
  TRY_CONTEXT(engine::mount_ids(mount), "--mount {}", text);
  return mount;
}

Result<engine::MountSpec> parse_tmpfs(std::string_view text) {
  const std::vector<std::string> parts = split(text, ':');
  if (parts.empty() || parts.size() > 2) return bad_mount("--tmpfs", text, "it is TARGET[:OPTIONS]");
  engine::MountSpec mount{.type = "tmpfs", .target = parts[0]};
  TRY(check_target("--tmpfs", text, mount.target));
  if (parts.size() == 2) {
    for (const std::string& option : split(parts[1], ',')) {
      if (!apply_option(mount, option)) mount.options.push_back(option);
    }
  }
  return mount;
}

}  // namespace berth::cli
