// Values to bytes and back, for messages between berth's own processes on one machine. A struct takes part by
// a member
//
//   template <typename A> void fields(A& a) { a(first, second, third); }
//
// The reader trusts nothing: lengths are checked against what is left, enums against their last value, and a
// message that is too short, too long or malformed is an error.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"

namespace berth::wire {

template <typename T, typename A>
concept HasFields = requires(T& value, A& archive) { value.fields(archive); };

// Enums name their last value by a specialisation, so that a reader can refuse others.
template <typename E>
struct LastValue;

class Writer {
 public:
  template <typename... T>
  void operator()(const T&... values) {
    (put(values), ...);
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  template <typename T>
  void put(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      put(static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (std::is_arithmetic_v<T>) {
      out_.append(reinterpret_cast<const char*>(&value), sizeof value);
    } else {
      // fields() serves both directions, so it is not const; a Writer changes nothing.
      const_cast<T&>(value).fields(*this);
    }
  }
  void put(const std::string& text) {
    put(static_cast<uint32_t>(text.size()));
    out_ += text;
  }
  template <typename T>
  void put(const std::vector<T>& items) {
    put(static_cast<uint32_t>(items.size()));
    for (const T& item : items) put(item);
  }
  void put(const std::map<std::string, std::string>& items) {
    put(static_cast<uint32_t>(items.size()));
    for (const auto& [key, value] : items) {
      put(key);
      put(value);
    }
  }
  template <typename T>
  void put(const std::optional<T>& item) {
    put(static_cast<uint8_t>(item ? 1 : 0));
    if (item) put(*item);
  }
  std::string out_;
};

class Reader {
 public:
  explicit Reader(std::string_view data) : data_(data) {}
  template <typename... T>
  void operator()(T&... values) {
    (get(values), ...);
  }
  // True if everything was read and well-formed.
  [[nodiscard]] bool complete() const { return ok_ && data_.empty(); }

 private:
  template <typename T>
  void get(T& value) {
    if constexpr (std::is_enum_v<T>) {
      std::underlying_type_t<T> raw{};
      get(raw);
      if (raw > static_cast<std::underlying_type_t<T>>(LastValue<T>::value)) {
        ok_ = false;
        return;
      }
      value = static_cast<T>(raw);
    } else if constexpr (std::is_same_v<T, bool>) {
      uint8_t raw = 0;
      get(raw);
      if (raw > 1) ok_ = false;
      value = raw == 1;
    } else if constexpr (std::is_arithmetic_v<T>) {
      if (!ok_ || data_.size() < sizeof value) {
        ok_ = false;
        return;
      }
      std::memcpy(&value, data_.data(), sizeof value);
      data_.remove_prefix(sizeof value);
    } else {
      value.fields(*this);
    }
  }
  void get(std::string& text) {
    uint32_t size = 0;
    get(size);
    if (!ok_ || size > data_.size()) {
      ok_ = false;
      return;
    }
    text = data_.substr(0, size);
    data_.remove_prefix(size);
  }
  template <typename T>
  void get(std::vector<T>& items) {
    uint32_t count = 0;
    get(count);
    // Every item takes at least one byte, so a count beyond what is left is a lie.
    if (!ok_ || count > data_.size()) {
      ok_ = false;
      return;
    }
    items.clear();
    for (uint32_t i = 0; i < count && ok_; ++i) get(items.emplace_back());
  }
  void get(std::map<std::string, std::string>& items) {
    uint32_t count = 0;
    get(count);
    items.clear();
    for (uint32_t i = 0; i < count && ok_; ++i) {
      std::string key;
      get(key);
      get(items[std::move(key)]);
    }
  }
  template <typename T>
  void get(std::optional<T>& item) {
    uint8_t present = 0;
    get(present);
    if (present > 1) ok_ = false;
    if (!ok_ || present == 0) {
      item.reset();
      return;
    }
    get(item.emplace());
  }
  std::string_view data_;
  bool ok_ = true;
};

template <typename T>
std::string encode(const T& value) {
  Writer writer;
  writer(value);
  return writer.take();
}

template <typename T>
Result<T> decode(std::string_view data) {
  T value{};
  Reader reader(data);
  reader(value);
  if (!reader.complete())
    return fail("a message of {} bytes between berth's programs is malformed", data.size());
  return value;
}

}  // namespace berth::wire
