// What can go wrong, in the user's words: what was tried, on what, why it failed, and what to do about it.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace berth {

// What kind of failure it is. exit_status() turns it into the status that podman and Docker give.
enum class Code {
  failed,             // the engine could not do it: 125
  usage,              // the command line is wrong: 125
  not_found,          // no such image, container, volume: 125
  conflict,           // a name is taken, something is in use: 125
  refused,            // hostile or malformed input, or a policy: 125
  not_executable,     // the command exists but can't be executed: 126
  command_not_found,  // the command does not exist in the container: 127
};

// An error value. `message` reads as "cannot do X: reason"; callers put what they were doing in front of it
// with Error::context(). `err` is the errno that caused it, or 0.
struct Error {
  Code code = Code::failed;
  int err = 0;
  std::string message;
  std::string hint;  // a full sentence, shown on a line of its own; may be empty

  Error&& context(std::string_view what) && {
    message = fmt::format("{}: {}", what, message);
    return std::move(*this);
  }
  Error&& with_hint(std::string text) && {
    hint = std::move(text);
    return std::move(*this);
  }
};

template <typename T = void>
using Result = std::expected<T, Error>;

// An error of the given kind.
template <typename... Args>
std::unexpected<Error> fail(Code code, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{code, 0, fmt::format(format, std::forward<Args>(args)...), {}});
}

// An error of the engine itself.
template <typename... Args>
std::unexpected<Error> fail(fmt::format_string<Args...> format, Args&&... args) {
  return fail(Code::failed, format, std::forward<Args>(args)...);
}

// An error from a system call. `err` is errno, captured by the caller before anything else could change it.
// The message becomes "<what>: EPERM (Operation not permitted)".
std::unexpected<Error> fail_errno_text(int err, std::string what);

template <typename... Args>
std::unexpected<Error> fail_errno(int err, fmt::format_string<Args...> format, Args&&... args) {
  return fail_errno_text(err, fmt::format(format, std::forward<Args>(args)...));
}

// The way out of a full disk; fail_errno() gives it with ENOSPC and EDQUOT.
inline constexpr const char* kFullDiskHint =
    "The disk is full: `berth image prune` and `berth rm` make room, or name another place with --root.";

// "EPERM (Operation not permitted)".
std::string describe_errno(int err);

// The exit status that an error of this kind gives: 125, 126 or 127.
int exit_status(Code code);

// The one renderer: "berth: <message>\n" and, where there is one, "hint: <hint>\n". Control characters that
// came from an image or a registry are made visible, so that they can't reach a terminal.
std::string render(std::string_view program, const Error& error);

// `text` with control characters and invalid UTF-8 made visible as \xNN.
std::string printable(std::string_view text);

// What a Result that has a value holds, for TRY: unlike operator*, it may be ignored.
template <typename R>
decltype(auto) held_by(R&& result) {
  return *std::forward<R>(result);
}

}  // namespace berth

// TRY(expr): the value of a Result, or return its error from the function.
#define TRY(...)                                                              \
  __extension__({                                                             \
    auto&& try_result_ = (__VA_ARGS__);                                       \
    if (!try_result_) return std::unexpected(std::move(try_result_).error()); \
    ::berth::held_by(std::move(try_result_));                                 \
  })

// TRY_CONTEXT(expr, "format", ...): the same, and the error says what was being done.
#define TRY_CONTEXT(expr, ...)                                                                  \
  __extension__({                                                                               \
    auto&& try_result_ = (expr);                                                                \
    if (!try_result_)                                                                           \
      return std::unexpected(std::move(try_result_).error().context(fmt::format(__VA_ARGS__))); \
    ::berth::held_by(std::move(try_result_));                                                   \
  })
