#include "engine/identity/identity_template.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "base/accounts.h"

namespace berth::engine {

namespace {

constexpr std::string_view kPasswdFlag = "--passwd-entry";
constexpr std::string_view kGroupFlag = "--group-entry";

struct Variable {
  std::string_view name;
  std::string value;
};

constexpr std::array<std::string_view, 5> kPasswdVariables{"USERNAME", "UID", "GID", "NAME", "HOME"};
constexpr std::array<std::string_view, 3> kGroupVariables{"GROUPNAME", "GID", "USERLIST"};

bool is_control(unsigned char c) {
  return c < 0x20 || c == 0x7F;
}

// A variable's name is as many capital letters as follow the dollar. So a hash in the password's field,
// "$6$…", is no variable.
std::string_view variable_at(std::string_view text, size_t dollar) {
  size_t end = dollar + 1;
  while (end < text.size() && text[end] >= 'A' && text[end] <= 'Z') ++end;
  return text.substr(dollar + 1, end - dollar - 1);
}

Result<> check_template(std::string_view flag, std::string_view text, size_t fields, std::string_view layout,
                        std::span<const std::string_view> variables) {
  if (text.size() > kLongestEntry)
    return fail(Code::usage, "{}: it has {} bytes; {} are the most", flag, text.size(), kLongestEntry);
  if (std::any_of(text.begin(), text.end(), is_control))
    return fail(Code::usage, "{} \"{}\" holds a control character", flag, text);
  const auto colons = static_cast<size_t>(std::count(text.begin(), text.end(), ':'));
  if (colons + 1 != fields) {
    Error error{Code::usage, 0, fmt::format("{} \"{}\" has {} fields", flag, text, colons + 1), {}};
    return std::unexpected(std::move(error).with_hint(fmt::format("It is {}.", layout)));
  }
  for (size_t at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
    const std::string_view name = variable_at(text, at);
    if (name.empty() || std::find(variables.begin(), variables.end(), name) != variables.end()) continue;
    std::string known;
    for (const std::string_view variable : variables)
      known += fmt::format("{}${}", known.empty() ? "" : ", ", variable);
    Error error{Code::usage, 0, fmt::format("{}: there is no variable ${}", flag, name), {}};
    return std::unexpected(std::move(error).with_hint(fmt::format("There are {}.", known)));
  }
  return {};
}

// One pass, so that what a value holds is never taken for a variable.
std::string expand(std::string_view text, std::span<const Variable> variables) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const std::string_view name = text[at] == '$' ? variable_at(text, at) : std::string_view();
    const auto found = std::find_if(variables.begin(), variables.end(),
                                    [&](const Variable& variable) { return variable.name == name; });
    if (name.empty() || found == variables.end()) {
      out += text[at++];
    } else {
      out += found->value;
      at += 1 + name.size();
    }
  }
  return out;
}

// The rules that hold for a line whatever it is made from.
Result<> check_line(std::string_view flag, std::string_view line, size_t fields) {
  const auto refuse = [&](std::string_view why) {
    return fail(Code::refused, "{} makes the line \"{}\", {}", flag, line, why);
  };
  if (line.size() > kLongestEntry)
    return fail(Code::refused, "{} makes a line of {} bytes; {} are the most", flag, line.size(),
                kLongestEntry);
  if (std::any_of(line.begin(), line.end(), is_control)) return refuse("which holds a control character");
  const auto colons = static_cast<size_t>(std::count(line.begin(), line.end(), ':'));
  if (colons + 1 != fields) return refuse(fmt::format("which has {} fields", colons + 1));
  return {};
}

Result<> check_members(std::string_view members) {
  while (!members.empty()) {
    const size_t comma = members.find(',');
    TRY(check_account_name("group member", members.substr(0, comma)));
    if (comma == std::string_view::npos) break;
    members.remove_prefix(comma + 1);
  }
  return {};
}

}  // namespace

Result<> check_account_name(std::string_view what, std::string_view name) {
  if (name.empty()) return fail(Code::refused, "the {} is empty", what);
  if (name.size() > kLongestAccountName)
    return fail(Code::refused, "the {} has {} bytes; {} are the most", what, name.size(),
                kLongestAccountName);
  const bool ends_something = std::any_of(name.begin(), name.end(), [](unsigned char c) {
    return is_control(c) || c == ' ' || c == ':' || c == ',' || c == '/';
  });
  if (ends_something)
    return fail(Code::refused,
                "the {} \"{}\" holds a blank, a colon, a comma, a slash or a control character", what, name);
  if (std::string_view("#+-").find(name.front()) != std::string_view::npos)
    return fail(Code::refused, "the {} \"{}\" begins with {}", what, name, name.front());
  return {};
}

Result<> check_passwd_template(std::string_view text) {
  return check_template(kPasswdFlag, text, 7, "NAME:PASSWORD:UID:GID:DESCRIPTION:HOME:SHELL",
                        kPasswdVariables);
}

Result<> check_group_template(std::string_view text) {
  return check_template(kGroupFlag, text, 4, "NAME:PASSWORD:GID:MEMBERS", kGroupVariables);
}

Result<std::string> passwd_line_from(std::string_view text, const PasswdFields& fields) {
  TRY(check_passwd_template(text));
  const std::array<Variable, 5> variables{{{"USERNAME", fields.name},
                                           {"UID", std::to_string(fields.uid)},
                                           {"GID", std::to_string(fields.gid)},
                                           {"NAME", fields.gecos},
                                           {"HOME", fields.home}}};
  std::string line = expand(text, variables);
  TRY(check_line(kPasswdFlag, line, 7));
  const std::optional<PasswdEntry> entry = PasswdReader(line).next();
  if (!entry) return fail(Code::refused, "{} makes the line \"{}\", which is no entry", kPasswdFlag, line);
  TRY_CONTEXT(check_account_name("user name", entry->name), "{}", kPasswdFlag);
  if (entry->uid != fields.uid) {
    Error error{Code::refused, 0,
                fmt::format("{} makes an entry for UID {}, and the one that is missing is of UID {}",
                            kPasswdFlag, entry->uid, fields.uid),
                "$UID stands for it."};
    return std::unexpected(std::move(error));
  }
  if (!entry->home.starts_with('/'))
    return fail(Code::refused, "{}: the home directory \"{}\" is no absolute path", kPasswdFlag, entry->home);
  return line + "\n";
}

Result<std::string> group_line_from(std::string_view text, const GroupFields& fields) {
  TRY(check_group_template(text));
  const std::array<Variable, 3> variables{
      {{"GROUPNAME", fields.name}, {"GID", std::to_string(fields.gid)}, {"USERLIST", fields.member}}};
  std::string line = expand(text, variables);
  TRY(check_line(kGroupFlag, line, 4));
  const std::optional<GroupEntry> entry = GroupReader(line).next();
  if (!entry) return fail(Code::refused, "{} makes the line \"{}\", which is no entry", kGroupFlag, line);
  TRY_CONTEXT(check_account_name("group name", entry->name), "{}", kGroupFlag);
  if (entry->gid != fields.gid) {
    Error error{Code::refused, 0,
                fmt::format("{} makes an entry for GID {}, and the one that is missing is of GID {}",
                            kGroupFlag, entry->gid, fields.gid),
                "$GID stands for it."};
    return std::unexpected(std::move(error));
  }
  TRY_CONTEXT(check_members(entry->members), "{}", kGroupFlag);
  return line + "\n";
}

}  // namespace berth::engine
