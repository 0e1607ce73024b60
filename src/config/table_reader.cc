#include "config/table_reader.h"

#include <algorithm>

#include "base/nearest.h"

namespace berth::config {

std::string TableReader::name_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

std::unexpected<Error> TableReader::refuse(std::string_view key, uint32_t line, std::string_view why,
                                           std::string hint) const {
  return std::unexpected(
      Error{Code::refused, 0, fmt::format("{}:{}: {} {}", file_, line, name_of(key), why), std::move(hint)});
}

Result<> TableReader::check_keys(std::span<const std::string_view> known) const {
  for (const Member& member : table_.members) {
    if (std::find(known.begin(), known.end(), member.key) != known.end()) continue;
    const std::string_view near = nearest(member.key, known);
    std::string hint = near.empty() ? fmt::format("What there is: {}.", fmt::join(known, ", "))
                                    : fmt::format("Did you mean {}?", near);
    return refuse(member.key, member.line, "is not a key of berth's configuration", std::move(hint));
  }
  return {};
}

const Member* TableReader::find(std::string_view key) const {
  const auto found = std::find_if(table_.members.begin(), table_.members.end(),
                                  [&](const Member& member) { return member.key == key; });
  return found == table_.members.end() ? nullptr : &*found;
}

Result<const Member*> TableReader::find(std::string_view key, Kind kind) const {
  const Member* member = find(key);
  if (member != nullptr && member->value.kind != kind) {
    return refuse(key, member->line,
                  fmt::format("must be {}, and is {}", describe(kind), describe(member->value.kind)));
  }
  return member;
}

Result<> TableReader::read(std::string_view key, Setting<bool>& setting) const {
  const Member* member = TRY(find(key, Kind::boolean));
  if (member != nullptr) set(setting, member->value.boolean, *member);
  return {};
}

Result<> TableReader::read(std::string_view key, Setting<std::string>& setting) const {
  const Member* member = TRY(find(key, Kind::text));
  if (member != nullptr) set(setting, member->value.text, *member);
  return {};
}

Result<> TableReader::read(std::string_view key, Setting<int64_t>& setting, int64_t least,
                           int64_t most) const {
  const Member* member = TRY(find(key, Kind::integer));
  if (member == nullptr) return {};
  if (member->value.integer < least || member->value.integer > most) {
    return refuse(key, member->line,
                  fmt::format("must be from {} to {}, and is {}", least, most, member->value.integer));
  }
  set(setting, member->value.integer, *member);
  return {};
}

Result<> TableReader::read(std::string_view key, Setting<std::vector<Text>>& setting) const {
  const Member* member = TRY(find(key, Kind::array));
  if (member == nullptr) return {};
  std::vector<Text> texts;
  for (const Value& item : member->value.items) {
    if (item.kind != Kind::text) {
      return refuse(key, item.line,
                    fmt::format("must be a list of strings, and has {}", describe(item.kind)));
    }
    texts.push_back({item.text, item.line});
  }
  set(setting, std::move(texts), *member);
  return {};
}

Result<std::vector<const Member*>> TableReader::tables(std::string_view key) const {
  const Member* member = TRY(find(key, Kind::table));
  std::vector<const Member*> out;
  if (member == nullptr) return out;
  for (const Member& table : member->value.members) {
    if (table.value.kind != Kind::table) {
      return refuse(fmt::format("{}.{}", key, table.key), table.line,
                    fmt::format("must be a table, and is {}", describe(table.value.kind)),
                    fmt::format("[{}.NAME] begins one.", key));
    }
    out.push_back(&table);
  }
  return out;
}

}  // namespace berth::config
