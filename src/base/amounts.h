// Amounts as a person writes them, and as berth shows them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace berth {

inline constexpr uint64_t kNanoCpus = 1'000'000'000;  // one processor

// "64m", "1g", "512", "10kb": bytes, units of 1024; nullopt for what is none or does not fit.
std::optional<uint64_t> parse_bytes(std::string_view text);
// The same the other way, in the largest unit that gives a whole number: "64m".
std::string bytes_text(uint64_t bytes);

// "1.5" to billionths of a processor; nullopt for what is none or more than any machine has.
std::optional<uint64_t> parse_cpus(std::string_view text);
std::string cpus_text(uint64_t nano_cpus);

}  // namespace berth
