#include "seccomp/filter.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <linux/filter.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/sha256.h"
#include "seccomp/compiler.h"
#include "seccomp/default_profile.h"
#include "seccomp/profile.h"
#include "sys/descriptor_path.h"
#include "sys/file.h"

namespace berth::seccomp {

namespace {

constexpr std::string_view kUnconfined = "unconfined";

// What stands before the program in a file of the cache. Only this host reads it, so it is written as it is
// in memory.
struct Header {
  static constexpr std::array<char, 16> kMagic{"berth seccomp 2"};
  std::array<char, 16> magic = kMagic;
  uint64_t checksum = 0;  // of the program
  uint64_t length = 0;    // of the program, in bytes
  uint64_t flags = 0;
  uint64_t library = library_version();
};
static_assert(sizeof(Header) == 48, "no padding, whose bytes would be left to chance");

// Against a file that was cut off or hit by a bad disk; nobody but root can write one.
uint64_t checksum(std::string_view program) {
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t at = 0; at + 8 <= program.size(); at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, program.data() + at, sizeof word);
    hash = (hash ^ word) * 0x9E3779B97F4A7C15;
    hash ^= hash >> 32U;
  }
  return hash;
}

std::string key_of(std::string_view profile, const Facts& facts) {
  std::string text =
      fmt::format("{}\narch {:x}\ncaps {:x}\n", Header::kMagic.data(), facts.native, facts.capabilities);
  // Whether it is refused depends on this.
  if (facts.agent) text += "agent\n";
  if (profile.empty()) {
    text += fmt::format("default {:x}", default_fingerprint());
  } else {
    text += fmt::format("kernel {}.{}\n{}", facts.kernel_major, facts.kernel_minor, profile);
  }
  return sha256_hex(text);
}

// The cache's directory, made if need be.
Result<sys::UniqueFd> open_cache(const FilterCache& cache) {
  TRY(sys::ensure_dir_at(cache.parent, cache.name, 0700));
  sys::UniqueFd directory = TRY(sys::open_at(cache.parent, cache.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  const struct stat st = TRY(sys::stat_at(directory.get(), "", AT_EMPTY_PATH));
  if (st.st_uid == ::geteuid() && (st.st_mode & 077) == 0) return directory;
  Error error{
      Code::refused,
      0,
      fmt::format("{} is not a directory of root's alone, so what is in it can't be trusted", cache.shown),
      {}};
  return std::unexpected(std::move(error).with_hint("Remove it; it is a cache and will be made again."));
}

// The filter in a file of the cache, or nothing if the file is not what this berth wrote with this
// libseccomp.
std::optional<Filter> read_cached(int fd) {
  struct stat st{};
  if (::fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != ::geteuid() || (st.st_mode & 022) != 0)
    return {};
  const Result<std::string> data = sys::read_all(fd, sizeof(Header) + BPF_MAXINSNS * sizeof(sock_filter));
  if (!data || data->size() < sizeof(Header)) return {};
  Header header;
  std::memcpy(&header, data->data(), sizeof header);
  const std::string_view program = std::string_view(*data).substr(sizeof header);
  if (header.magic != Header::kMagic || header.length != program.size() || program.empty() ||
      program.size() % sizeof(sock_filter) != 0 || header.checksum != checksum(program) ||
      header.library != library_version()) {
    return {};
  }
  return Filter{std::string(program), static_cast<uint32_t>(header.flags)};
}

std::string render_cached(std::string_view program, uint32_t flags) {
  Header header;
  header.checksum = checksum(program);
  header.length = program.size();
  header.flags = flags;
  std::string data(reinterpret_cast<const char*>(&header), sizeof header);
  return data.append(program);
}

// Without a name until it is whole, so that nothing is left of one that is not. Not synced: what a power
// failure spoils is made again.
Result<> keep(int directory, const std::string& name, std::string_view data) {
  const sys::UniqueFd file = TRY(sys::open_at(directory, ".", O_WRONLY | O_TMPFILE, 0600));
  TRY(sys::write_all(file.get(), data));
  fault::point("filter-staged");
  TRY(sys::remove_tree_at(directory, name));  // a damaged one
  const std::string own = sys::descriptor_path(file.get());
  if (::linkat(AT_FDCWD, own.c_str(), directory, name.c_str(), AT_SYMLINK_FOLLOW) != 0 && errno != EEXIST)
    return fail_errno(errno, "write {}", name);
  return {};
}

}  // namespace

Result<Filter> filter_for(const FilterCache& cache, std::string_view profile, uint64_t capabilities,
                          bool agent) {
  if (profile == kUnconfined) return Filter{};
  Facts facts = facts_of_host(capabilities);
  facts.agent = agent;
  const sys::UniqueFd directory = TRY(open_cache(cache));
  const std::string name = key_of(profile, facts);
  const Result<sys::UniqueFd> cached =
      sys::open_at(directory.get(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (cached) {
    if (std::optional<Filter> filter = read_cached(cached->get())) return std::move(*filter);
    log::debug("the seccomp filter {} is damaged or of another libseccomp", name);
  }
  log::debug("compiling a seccomp filter, which takes a tenth of a second; it is kept");
  const Profile parsed = profile.empty() ? default_profile(facts) : TRY(parse_profile(profile, facts));
  std::string compiled = TRY_CONTEXT(compile_profile(parsed, facts.native), "the seccomp profile");
  // A full disk is no reason not to start.
  const Result<> kept = keep(directory.get(), name, render_cached(compiled, parsed.flags));
  if (!kept) log::debug("cannot keep the seccomp filter: {}", kept.error().message);
  return Filter{std::move(compiled), parsed.flags};
}

}  // namespace berth::seccomp
