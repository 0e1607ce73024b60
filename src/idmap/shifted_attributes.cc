#include "idmap/shifted_attributes.h"

#include <cstdint>

namespace berth::idmap {

namespace {

// linux/capability.h: struct vfs_ns_cap_data, every field little-endian.
constexpr uint32_t kRevisionMask = 0xFF000000;
constexpr uint32_t kRevision2 = 0x02000000;
constexpr uint32_t kRevision3 = 0x03000000;
constexpr size_t kSize2 = 20;
constexpr size_t kSize3 = 24;

// linux/posix_acl_xattr.h: a version, then entries of a tag, permissions and an ID, all little-endian.
constexpr uint32_t kAclVersion = 2;
constexpr size_t kAclHeader = 4;
constexpr size_t kAclEntry = 8;
constexpr uint32_t kAclUser = 0x02;
constexpr uint32_t kAclGroup = 0x08;

uint32_t read_number(std::string_view bytes, size_t at, size_t size) {
  uint32_t value = 0;
  for (size_t i = size; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

void write_number(std::string& bytes, size_t at, uint32_t value) {
  for (size_t i = 0; i < sizeof value; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i) & 0xFFU);
}

Result<std::string> shifted_capability(std::string_view value, const IdShift& users) {
  const uint32_t magic = value.size() < sizeof(uint32_t) ? 0 : read_number(value, 0, sizeof(uint32_t));
  const bool second = (magic & kRevisionMask) == kRevision2 && value.size() == kSize2;
  const bool third = (magic & kRevisionMask) == kRevision3 && value.size() == kSize3;
  if (!second && !third) return fail(Code::refused, "security.capability has a form that is not known");
  const uint32_t root = users(third ? read_number(value, kSize2, sizeof(uint32_t)) : 0);
  std::string result(value.substr(0, kSize2));
  const uint32_t flags = magic & ~kRevisionMask;
  write_number(result, 0, flags | (root == 0 ? kRevision2 : kRevision3));
  if (root == 0) return result;
  result.resize(kSize3);
  write_number(result, kSize2, root);
  return result;
}

Result<std::string> shifted_acl(std::string_view name, std::string_view value, const Shift& shift) {
  if (value.size() < kAclHeader || (value.size() - kAclHeader) % kAclEntry != 0 ||
      read_number(value, 0, kAclHeader) != kAclVersion)
    return fail(Code::refused, "{} has a form that is not known", name);
  std::string result(value);
  for (size_t at = kAclHeader; at < value.size(); at += kAclEntry) {
    const uint32_t tag = read_number(value, at, sizeof(uint16_t));
    const uint32_t id = read_number(value, at + 4, sizeof(uint32_t));
    if (tag == kAclUser) write_number(result, at + 4, shift.users(id));
    if (tag == kAclGroup) write_number(result, at + 4, shift.groups(id));
  }
  return result;
}

}  // namespace

Result<std::string> shifted_attribute(std::string_view name, std::string_view value, const Shift& shift) {
  if (name == "security.capability") return shifted_capability(value, shift.users);
  if (name == "system.posix_acl_access" || name == "system.posix_acl_default")
    return shifted_acl(name, value, shift);
  return std::string(value);
}

}  // namespace berth::idmap
