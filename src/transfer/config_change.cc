#include "transfer/config_change.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/letter_case.h"
#include "oci/json.h"
#include "transfer/healthcheck_change.h"

namespace berth::transfer {

namespace {

constexpr std::string_view kSpace = " \t";
constexpr size_t kLongestList = 1 << 20;

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// Words apart by blanks; quotes keep blanks together and go.
Result<std::vector<std::string>> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool inside = false;
  char quote = '\0';
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != '\0' ? c == quote : (c == '"' || c == '\'')) {
      quote = quote == '\0' ? c : '\0';
      inside = true;
    } else if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      word += text[++i];
      inside = true;
    } else if (quote == '\0' && kSpace.find(c) != std::string_view::npos) {
      if (inside) words.push_back(std::move(word));
      word.clear();
      inside = false;
    } else {
      word += c;
      inside = true;
    }
  }
  if (quote != '\0') return fail(Code::usage, "a quote has no end");
  if (inside) words.push_back(std::move(word));
  return words;
}

Result<std::vector<std::string>> json_list(std::string_view text) {
  const nlohmann::json list = TRY(oci::parse_json(text, kLongestList));
  std::vector<std::string> words;
  for (const oci::JsonView& element : TRY(oci::JsonView(list, "the list").elements())) {
    words.push_back(TRY(element.string()));
  }
  return words;
}

// A JSON list is the command; anything else is for a shell.
Result<std::vector<std::string>> command(std::string_view text) {
  if (text.starts_with('[')) return json_list(text);
  if (text.empty()) return std::vector<std::string>{};
  return std::vector<std::string>{"/bin/sh", "-c", std::string(text)};
}

Result<std::vector<std::string>> list(std::string_view text) {
  return text.starts_with('[') ? json_list(text) : words_of(text);
}

// "A=1 B=2", or Docker's old "A all the rest".
Result<std::vector<std::pair<std::string, std::string>>> pairs(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> result;
  const size_t blank = text.find_first_of(kSpace);
  if (text.find('=') > blank && blank != std::string_view::npos) {
    result.emplace_back(text.substr(0, blank), trimmed(text.substr(blank)));
    return result;
  }
  for (const std::string& word : TRY(words_of(text))) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(Code::usage, "\"{}\" is not NAME=VALUE", word);
    }
    result.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  return result;
}

void set_environment(oci::ImageConfig& config, const std::string& name, const std::string& value) {
  const std::string prefix = name + "=";
  const auto same = std::find_if(config.env.begin(), config.env.end(),
                                 [&](const std::string& entry) { return entry.starts_with(prefix); });
  if (same == config.env.end()) {
    config.env.push_back(prefix + value);
  } else {
    *same = prefix + value;
  }
}

Result<> expose(oci::ImageConfig& config, const std::string& word) {
  const size_t slash = std::min(word.find('/'), word.size());
  const std::string protocol = slash == word.size() ? "tcp" : word.substr(slash + 1);
  const std::string digits = word.substr(0, slash);
  const bool number = !digits.empty() && digits.size() <= 5 &&
                      digits.find_first_not_of("0123456789") == std::string::npos &&
                      std::stoi(digits) <= 65535;
  if (!number || (protocol != "tcp" && protocol != "udp" && protocol != "sctp")) {
    return fail(Code::usage, "\"{}\" is no port", word);
  }
  config.exposed_ports.push_back(digits + "/" + protocol);
  return {};
}

Result<> apply(oci::ImageConfig& config, const std::string& name, std::string_view value) {
  if (name == "CMD") {
    config.cmd = TRY(command(value));
  } else if (name == "ENTRYPOINT") {
    config.entrypoint = TRY(command(value));
  } else if (name == "ENV") {
    for (const auto& [key, text] : TRY(pairs(value))) set_environment(config, key, text);
  } else if (name == "LABEL") {
    for (const auto& [key, text] : TRY(pairs(value))) config.labels[key] = text;
  } else if (name == "EXPOSE") {
    for (const std::string& word : TRY(words_of(value))) TRY(expose(config, word));
  } else if (name == "VOLUME") {
    for (std::string& path : TRY(list(value))) config.volumes.push_back(std::move(path));
  } else if (name == "USER") {
    config.user = value;
  } else if (name == "WORKDIR") {
    config.working_dir =
        value.starts_with('/') ? std::string(value) : config.working_dir + "/" + std::string(value);
  } else if (name == "STOPSIGNAL") {
    config.stop_signal = value;
  } else if (name == "HEALTHCHECK") {
    config.healthcheck = TRY(parse_healthcheck(value));
  } else if (name == "ONBUILD") {
    config.on_build.emplace_back(value);
  } else {
    Error error = fail(Code::usage, "there is no instruction {}", name).error();
    return std::unexpected(
        std::move(error).with_hint("It is one of CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, "
                                   "STOPSIGNAL, USER, VOLUME, WORKDIR."));
  }
  return {};
}

}  // namespace

Result<> apply_change(oci::ImageConfig& config, std::string_view instruction) {
  if (instruction.find('\0') != std::string_view::npos)
    return fail(Code::usage, "--change \"{}\": it has a byte 0", printable(instruction));
  instruction = trimmed(instruction);
  const size_t end = std::min(instruction.find_first_of(" \t="), instruction.size());
  const std::string name = capital(instruction.substr(0, end));
  const std::string_view value = trimmed(instruction.substr(std::min(end + 1, instruction.size())));
  TRY_CONTEXT(apply(config, name, value), "--change \"{}\"", instruction);
  return {};
}

}  // namespace berth::transfer
