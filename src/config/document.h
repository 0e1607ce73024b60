// A TOML document as a tree of values that know their lines. Bounded: the text may be anybody's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::config {

inline constexpr size_t kMaxDocumentBytes = 64U << 10;

enum class Kind : uint8_t { boolean, integer, text, array, table, other };

struct Member;

struct Value {
  Kind kind = Kind::other;
  uint32_t line = 0;  // from 1
  bool boolean = false;
  int64_t integer = 0;
  std::string text;             // of a string
  std::vector<Value> items;     // of an array
  std::vector<Member> members;  // of a table, by key
};

struct Member {
  std::string key;
  uint32_t line = 0;  // of the key
  Value value;
};

// "a string", "a table"; for messages.
std::string_view describe(Kind kind);

// `file` is the name for errors only, which begin with "FILE:LINE: ". Code::refused: it is longer than
// kMaxDocumentBytes, nests too deeply, is not TOML 1.0,
// or has what scan_document() refuses.
Result<Value> parse_document(std::string_view text, const std::string& file);

}  // namespace berth::config
