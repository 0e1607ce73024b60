#include "engine/container/names.h"

#include <array>
#include <cerrno>
#include <cstdint>

#include <sys/random.h>

namespace berth::engine {

namespace {
constexpr std::array<std::string_view, 48> kQualities{
    "able",   "amber",  "azure",  "bold",    "brave",  "bright", "brisk",  "calm",    "clear",  "copper",
    "crisp",  "dapper", "eager",  "early",   "fair",   "fleet",  "free",   "gallant", "gentle", "golden",
    "grand",  "hardy",  "hearty", "jolly",   "keen",   "lively", "lucky",  "mellow",  "merry",  "mighty",
    "modest", "nimble", "noble",  "patient", "plucky", "proud",  "quick",  "quiet",   "ready",  "scarlet",
    "silver", "smart",  "steady", "sturdy",  "sunny",  "swift",  "trusty", "vivid"};
constexpr std::array<std::string_view, 48> kCraft{
    "barge",   "bark",    "brig",    "caique",  "canoe",    "caravel",  "carrack",  "catboat",
    "clipper", "cobble",  "cog",     "coracle", "corvette", "cutter",   "dhow",     "dinghy",
    "dory",    "drifter", "dromond", "felucca", "ferry",    "frigate",  "galleon",  "galley",
    "gig",     "hoy",     "jangada", "junk",    "kayak",    "keelboat", "ketch",    "launch",
    "lighter", "lugger",  "packet",  "pinnace", "proa",     "punt",     "schooner", "scow",
    "skiff",   "sloop",   "smack",   "tender",  "trawler",  "tug",      "wherry",   "yawl"};
constexpr size_t kLongestName = 128;
}  // namespace

Result<std::string> made_up_name() {
  std::array<uint16_t, 3> random{};
  if (::getrandom(random.data(), sizeof random, 0) != static_cast<ssize_t>(sizeof random)) {
    return fail_errno(errno, "get random bytes for a name");
  }
  constexpr unsigned kNumbers = 1000;
  return fmt::format("{}_{}{}", kQualities[random[0] % kQualities.size()], kCraft[random[1] % kCraft.size()],
                     random[2] % kNumbers);
}

Result<> check_name(std::string_view name) {
  constexpr std::string_view kAlphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const bool well_formed =
      !name.empty() && name.size() <= kLongestName &&
      kAlphanumeric.find(name.front()) != std::string_view::npos &&
      name.find_first_not_of(std::string(kAlphanumeric) + "_.-") == std::string_view::npos;
  if (well_formed) return {};
  Error error{Code::usage, 0, fmt::format("\"{}\" can't be a container's name", name), {}};
  return std::unexpected(std::move(error).with_hint(
      "A name begins with a letter or digit and goes on with letters, digits, _, . and -, 128 at most."));
}

}  // namespace berth::engine
