// Messages of D-Bus as bytes and back: what a client of systemd's manager needs of the D-Bus Specification
// ("Marshaling (Wire Format)", "Message Protocol"), and no more. Pure, and bounded in everything that is
// read.
//
// Only the byte order of this machine is taken: the other end is on it too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::systemd {

// The specification allows 128 MiB; what systemd tells this client has some hundred bytes.
inline constexpr size_t kMaxMessageBytes = size_t{1} << 20;
// The fixed part at the beginning, from which message_size() is known.
inline constexpr size_t kPrologueBytes = 16;

enum class MessageType : uint8_t { call = 1, reply = 2, error = 3, signal = 4 };

// Puts values one after another, each at the multiple of its alignment.
class Writer {
 public:
  void byte(uint8_t value) { out_ += static_cast<char>(value); }
  void boolean(bool value) { number(uint32_t{value}); }
  void number(uint32_t value);
  void number(uint64_t value);
  void string(std::string_view text);     // also an object's path
  void signature(std::string_view text);  // at most 255 bytes
  // The alignment of a structure or a dictionary's entry is 8.
  void align(size_t to);
  // An array: its length stands before it and does not count the padding before the first element.
  struct Array {
    size_t length_at = 0;
    size_t begins_at = 0;
  };
  [[nodiscard]] Array begin_array(size_t alignment);
  void end_array(const Array& array);

  [[nodiscard]] const std::string& bytes() const { return out_; }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

struct Call {
  std::string destination;  // empty where there is no bus between, but the service itself
  std::string path;
  std::string interface;
  std::string member;
  std::string signature;  // of the body; empty: there is none
  std::string body;
};

std::string encode(const Call& call, uint32_t serial);

// One that has come.
struct Message {
  MessageType type = MessageType::call;
  uint32_t reply_serial = 0;  // of replies and errors: of the call that they answer
  std::string path, interface, member, error_name;
  std::string signature;
  std::string body;
};

// How many bytes the message has that begins so. `prologue` has at least kPrologueBytes. Code::refused for
// what is no message, or is longer than kMaxMessageBytes.
Result<size_t> message_size(std::string_view prologue);
// The whole of it and nothing else. Code::refused with the reason.
Result<Message> parse_message(std::string_view bytes);

// Takes values one after another, as Writer puts them. Every error is Code::refused.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] bool at_end() const { return at_ == bytes_.size(); }
  [[nodiscard]] size_t position() const { return at_; }
  Result<uint8_t> byte();
  Result<uint32_t> number();
  Result<std::string> string();
  Result<std::string> signature();
  // The bytes on the way have to be zero.
  Result<> align(size_t to);

 private:
  Result<std::string> text(size_t length);
  std::string_view bytes_;
  size_t at_ = 0;
};

}  // namespace berth::systemd
