// Reads the keys of one table of a document into settings. What is not there leaves the setting as it is.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "config/document.h"

namespace berth::config {

class TableReader {
 public:
  // `path` is "" for the whole document, "policy" for [policy]. Both references outlive the reader.
  TableReader(const Value& table, std::string path, const std::string& file)
      : table_(table), path_(std::move(path)), file_(file) {}

  // That there is no other key than these.
  [[nodiscard]] Result<> check_keys(std::span<const std::string_view> known) const;

  [[nodiscard]] Result<> read(std::string_view key, Setting<bool>& setting) const;
  [[nodiscard]] Result<> read(std::string_view key, Setting<std::string>& setting) const;
  // From `least` to `most`.
  [[nodiscard]] Result<> read(std::string_view key, Setting<int64_t>& setting, int64_t least,
                              int64_t most) const;

  // A list of strings. A string that `check` refuses is an error at its own line.
  struct Text {
    std::string value;
    uint32_t line = 0;
  };
  [[nodiscard]] Result<> read(std::string_view key, Setting<std::vector<Text>>& setting) const;

  // The tables below: [users.NAME] for "users". `names_what` names them in errors ("a user").
  [[nodiscard]] Result<std::vector<const Member*>> tables(std::string_view key) const;

  // The error about a key: "FILE:LINE: policy.require-private WHY".
  [[nodiscard]] std::unexpected<Error> refuse(std::string_view key, uint32_t line, std::string_view why,
                                              std::string hint = {}) const;
  [[nodiscard]] std::string name_of(std::string_view key) const;
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  [[nodiscard]] const Member* find(std::string_view key) const;
  // The member, if it is there; an error if it is of another kind.
  [[nodiscard]] Result<const Member*> find(std::string_view key, Kind kind) const;
  template <typename T>
  void set(Setting<T>& setting, T value, const Member& member) const {
    setting = {std::move(value), {file_, member.line}};
  }

  const Value& table_;
  std::string path_;
  const std::string& file_;
};

}  // namespace berth::config
