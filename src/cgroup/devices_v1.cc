// The lists of v1 (devices.rst): everything allowed but what is listed, or nothing but what is listed.
#include <algorithm>

#include "base/fields.h"
#include "cgroup/devices.h"

namespace berth::cgroup {

namespace {

bool covers(const std::optional<uint32_t>& wide, const std::optional<uint32_t>& narrow) {
  return !wide || wide == narrow;
}

bool meet(const std::optional<uint32_t>& a, const std::optional<uint32_t>& b) {
  return !a || !b || a == b;
}

std::string shown(const DeviceRule& rule) {
  const auto number = [](const std::optional<uint32_t>& value) {
    return value ? std::to_string(*value) : "*";
  };
  return fmt::format("{} {}:{} {}", rule.type == DeviceType::block ? 'b' : 'c', number(rule.major),
                     number(rule.minor), access_letters(rule.access));
}

// The state of the kernel's list, with its entries as rules of one type and one device or any.
class List {
 public:
  explicit List(bool allowed) : allowed_(allowed) {}

  [[nodiscard]] bool allowed() const { return allowed_; }
  [[nodiscard]] const std::vector<DeviceRule>& exceptions() const { return exceptions_; }

  Result<> apply(const DeviceRule& rule) {
    if (rule.type != DeviceType::all) return apply_one(rule);
    if (!rule.major && !rule.minor && rule.access == kAnyAccess) {
      allowed_ = rule.allow;
      exceptions_.clear();
      return {};
    }
    DeviceRule one = rule;
    one.type = DeviceType::block;
    TRY(apply_one(one));
    one.type = DeviceType::character;
    return apply_one(one);
  }

  void add(const DeviceRule& rule) {
    for (DeviceRule& there : exceptions_) {
      if (there.type != rule.type || there.major != rule.major || there.minor != rule.minor) continue;
      there.access |= rule.access;
      return;
    }
    exceptions_.push_back(rule);
  }

 private:
  Result<> apply_one(const DeviceRule& rule) {
    if (rule.access == 0) return {};
    if (rule.allow == allowed_) return take_away(rule);
    add(rule);
    return {};
  }

  // What is the default again is no exception any more. The kernel knows no exception from an exception.
  Result<> take_away(const DeviceRule& rule) {
    for (DeviceRule& there : exceptions_) {
      if (there.type != rule.type || !meet(there.major, rule.major) || !meet(there.minor, rule.minor))
        continue;
      if ((there.access & rule.access) == 0) continue;
      if (!covers(rule.major, there.major) || !covers(rule.minor, there.minor)) {
        return fail(Code::refused,
                    "linux.resources.devices: cgroup v1 can't {} \"{}\" where \"{}\" is {} by another rule",
                    rule.allow ? "allow" : "deny", shown(rule), shown(there),
                    rule.allow ? "denied" : "allowed");
      }
      there.access = static_cast<uint8_t>(there.access & ~rule.access);
    }
    std::erase_if(exceptions_, [](const DeviceRule& there) { return there.access == 0; });
    return {};
  }

  bool allowed_;
  std::vector<DeviceRule> exceptions_;
};

std::optional<uint32_t> number_of(std::string_view text) {
  return whole_number<uint32_t>(text);
}

// devices.list: "a *:* rwm" if all is allowed but exceptions, which are not shown; or lines like "c 1:3 rwm".
List parse_list(std::string_view text) {
  List list(false);
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view type = take_until(line, ' ');
    if (type == "a") return List(true);
    DeviceRule rule{
        .allow = true, .type = type == "b" ? DeviceType::block : DeviceType::character, .access = 0};
    rule.major = number_of(take_until(line, ':'));
    rule.minor = number_of(take_until(line, ' '));
    for (const char letter : line) {
      rule.access |= letter == 'r'   ? kReadDevice
                     : letter == 'w' ? kWriteDevice
                     : letter == 'm' ? kMakeDevice
                                     : 0;
    }
    if (!line.empty()) list.add(rule);
  }
  return list;
}

Write write_of(bool allow, std::string value) {
  return {"devices", allow ? "devices.allow" : "devices.deny", std::move(value), "devices"};
}

// The access of `rule` that no entry for the same device in `list` has.
DeviceRule without(DeviceRule rule, const std::vector<DeviceRule>& list) {
  for (const DeviceRule& there : list) {
    if (there.type == rule.type && there.major == rule.major && there.minor == rule.minor) {
      rule.access = static_cast<uint8_t>(rule.access & ~there.access);
    }
  }
  return rule;
}

}  // namespace

Result<std::vector<Write>> plan_v1_devices(const std::vector<DeviceRule>& rules, std::string_view now) {
  List wanted(false);
  for (const DeviceRule& rule : rules) TRY(wanted.apply(rule));
  List there = parse_list(now);
  std::vector<Write> plan;
  if (wanted.allowed() || there.allowed()) {
    plan.push_back(write_of(wanted.allowed(), "a"));
    there = List(wanted.allowed());
  }
  for (const DeviceRule& rule : wanted.exceptions()) {
    const DeviceRule more = without(rule, there.exceptions());
    if (more.access != 0) plan.push_back(write_of(!wanted.allowed(), shown(more)));
  }
  for (const DeviceRule& rule : there.exceptions()) {
    const DeviceRule less = without(rule, wanted.exceptions());
    if (less.access != 0) plan.push_back(write_of(wanted.allowed(), shown(less)));
  }
  return plan;
}

}  // namespace berth::cgroup
