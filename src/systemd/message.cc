#include "systemd/message.h"

#include <bit>
#include <cstring>

namespace berth::systemd {

namespace {

// Codes of header fields ("Header Fields").
enum Field : uint8_t {
  kPath = 1,
  kInterface = 2,
  kMember = 3,
  kErrorName = 4,
  kReplySerial = 5,
  kDestination = 6,
  kSignature = 8,
};

constexpr char kByteOrder = std::endian::native == std::endian::little ? 'l' : 'B';
constexpr uint8_t kProtocol = 1;
constexpr size_t kStructAlignment = 8;
constexpr size_t kMaxHeaderBytes = 16 * 1024;

void put_field(Writer& writer, Field field, char type, std::string_view text) {
  if (text.empty()) return;
  writer.align(kStructAlignment);
  writer.byte(field);
  writer.signature(std::string_view(&type, 1));
  if (type == 'g') {
    writer.signature(text);
  } else {
    writer.string(text);
  }
}

std::unexpected<Error> malformed(std::string_view what) {
  return fail(Code::refused, "a D-Bus message {}", what);
}

// The value of a field whose type is not looked for: every type that the specification has for one is basic.
Result<> skip(Reader& reader, std::string_view type) {
  if (type == "s" || type == "o") {
    TRY(reader.string());
  } else if (type == "g") {
    TRY(reader.signature());
  } else if (type == "u") {
    TRY(reader.number());
  } else {
    return malformed("has a header field of a type that none has");
  }
  return {};
}

Result<> read_field(Reader& reader, Message& message) {
  TRY(reader.align(kStructAlignment));
  const uint8_t field = TRY(reader.byte());
  const std::string type = TRY(reader.signature());
  std::string* text = field == kPath        ? &message.path
                      : field == kInterface ? &message.interface
                      : field == kMember    ? &message.member
                      : field == kErrorName ? &message.error_name
                                            : nullptr;
  if (text != nullptr && type == (field == kPath ? "o" : "s")) {
    *text = TRY(reader.string());
  } else if (field == kSignature && type == "g") {
    message.signature = TRY(reader.signature());
  } else if (field == kReplySerial && type == "u") {
    message.reply_serial = TRY(reader.number());
  } else if (text != nullptr || field == kSignature || field == kReplySerial || field == 0) {
    return malformed("has a header field of a wrong type");
  } else {
    return skip(reader, type);
  }
  return {};
}

struct Prologue {
  uint8_t type = 0;
  uint32_t body_bytes = 0;
  uint32_t field_bytes = 0;
  size_t body_at = 0;
};

Result<Prologue> read_prologue(std::string_view bytes) {
  if (bytes.size() < kPrologueBytes) return malformed("is cut off");
  if (bytes[0] != kByteOrder) return malformed("is not in this machine's byte order");
  Reader reader(bytes.substr(0, kPrologueBytes));
  Prologue found;
  TRY(reader.byte());
  found.type = TRY(reader.byte());
  TRY(reader.byte());  // flags
  if (TRY(reader.byte()) != kProtocol) return malformed("is of another version of the protocol");
  found.body_bytes = TRY(reader.number());
  TRY(reader.number());  // serial
  found.field_bytes = TRY(reader.number());
  if (found.field_bytes > kMaxHeaderBytes || found.body_bytes > kMaxMessageBytes)
    return malformed("is longer than it may be");
  found.body_at =
      (kPrologueBytes + found.field_bytes + kStructAlignment - 1) / kStructAlignment * kStructAlignment;
  return found;
}

}  // namespace

void Writer::number(uint32_t value) {
  align(sizeof value);
  out_.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void Writer::number(uint64_t value) {
  align(sizeof value);
  out_.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void Writer::string(std::string_view text) {
  number(static_cast<uint32_t>(text.size()));
  out_ += text;
  out_ += '\0';
}

void Writer::signature(std::string_view text) {
  byte(static_cast<uint8_t>(text.size()));
  out_ += text;
  out_ += '\0';
}

void Writer::align(size_t to) {
  out_.append((to - out_.size() % to) % to, '\0');
}

Writer::Array Writer::begin_array(size_t alignment) {
  number(uint32_t{0});
  Array array{.length_at = out_.size() - sizeof(uint32_t)};
  align(alignment);
  array.begins_at = out_.size();
  return array;
}

void Writer::end_array(const Array& array) {
  const auto length = static_cast<uint32_t>(out_.size() - array.begins_at);
  std::memcpy(out_.data() + array.length_at, &length, sizeof length);
}

std::string encode(const Call& call, uint32_t serial) {
  Writer writer;
  writer.byte(static_cast<uint8_t>(kByteOrder));
  writer.byte(static_cast<uint8_t>(MessageType::call));
  writer.byte(0);  // flags
  writer.byte(kProtocol);
  writer.number(static_cast<uint32_t>(call.body.size()));
  writer.number(serial);
  const Writer::Array fields = writer.begin_array(kStructAlignment);
  put_field(writer, kPath, 'o', call.path);
  put_field(writer, kDestination, 's', call.destination);
  put_field(writer, kInterface, 's', call.interface);
  put_field(writer, kMember, 's', call.member);
  put_field(writer, kSignature, 'g', call.signature);
  writer.end_array(fields);
  writer.align(kStructAlignment);
  return writer.take() + call.body;
}

Result<size_t> message_size(std::string_view prologue) {
  const Prologue found = TRY(read_prologue(prologue));
  const size_t size = found.body_at + found.body_bytes;
  if (size > kMaxMessageBytes) return malformed("is longer than it may be");
  return size;
}

Result<Message> parse_message(std::string_view bytes) {
  const size_t size = TRY(message_size(bytes));
  if (size != bytes.size()) return malformed("is cut off, or has something behind it");
  const Prologue prologue = TRY(read_prologue(bytes));
  if (prologue.type < static_cast<uint8_t>(MessageType::call) ||
      prologue.type > static_cast<uint8_t>(MessageType::signal))
    return malformed("is of a type that there is not");
  Message message;
  message.type = static_cast<MessageType>(prologue.type);
  // Positions count from the message's beginning; the fields begin at a multiple of 8 of it.
  Reader fields(bytes.substr(kPrologueBytes, prologue.field_bytes));
  while (!fields.at_end()) TRY(read_field(fields, message));
  message.body = bytes.substr(prologue.body_at);
  return message;
}

Result<uint8_t> Reader::byte() {
  if (at_ >= bytes_.size()) return malformed("ends in the middle of a value");
  return static_cast<uint8_t>(bytes_[at_++]);
}

Result<> Reader::align(size_t to) {
  while (at_ % to != 0) {
    if (TRY(byte()) != 0) return malformed("has something between two values");
  }
  return {};
}

Result<uint32_t> Reader::number() {
  TRY(align(sizeof(uint32_t)));
  uint32_t value = 0;
  if (bytes_.size() - at_ < sizeof value) return malformed("ends in the middle of a value");
  std::memcpy(&value, bytes_.data() + at_, sizeof value);
  at_ += sizeof value;
  return value;
}

Result<std::string> Reader::text(size_t length) {
  // Behind it is a zero, which its length does not count; in it there is none.
  if (bytes_.size() - at_ <= length) return malformed("ends in the middle of a text");
  const std::string_view found = bytes_.substr(at_, length);
  if (bytes_[at_ + length] != '\0' || found.find('\0') != std::string_view::npos)
    return malformed("has a text that does not end where it says");
  at_ += length + 1;
  return std::string(found);
}

Result<std::string> Reader::string() {
  const uint32_t length = TRY(number());
  return text(length);
}

Result<std::string> Reader::signature() {
  const uint8_t length = TRY(byte());
  return text(length);
}

}  // namespace berth::systemd
