// What a process finds out about its own user: passwd and group entries, HOME. Pure; identity_layer.h puts it
// on disk.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

#include "base/error.h"
#include "engine/identity/users.h"
#include "store/layer_stack.h"

namespace berth::engine {

// A line of passwd or group, newline included. Refuses a field that holds a byte which would end the field or
// the line (CVE-2022-4318): ':', and all control characters, newline, carriage return and NUL among them.
struct PasswdFields {
  std::string name;
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::string gecos;
  std::string home;
  std::string shell;
};
Result<std::string> passwd_line(const PasswdFields& fields);
Result<std::string> group_line(std::string_view name, uint32_t gid);

// What a person wants to be in the files, beside what the user needs.
struct WantedEntries {
  bool any = true;                                              // --passwd; false: nothing is added
  std::string_view passwd_template{};                           // --passwd-entry, --group-entry; empty: none
  std::string_view group_template{};                            // (identity_template.h)
  std::vector<PasswdFields> host_users{};                       // --hostuser, of those that the image lacks
  std::vector<std::pair<std::string, uint32_t>> host_groups{};  // name and GID
  // The home of the process's user where a mount is at it, which the image can't tell.
  std::string mounted_home{};
};

struct IdentityRequest {
  std::string_view image_id;  // of the configuration: "sha256:<64 hex>"; all of the image follows from it
  AccountFiles files;         // the image's own
  const ResolvedUser& user;
  std::string_view working_directory;  // of the process, absolute
  WantedEntries wanted{};
  std::string_view container{};  // its ID, to note that it uses the layer (identity_uses.h); empty: nobody
};

// The lines that the image's files lack for the user. Empty: nothing has to be added.
struct MissingEntries {
  std::vector<PasswdFields> users;                       // home is not chosen yet
  std::vector<std::pair<std::string, uint32_t>> groups;  // name and GID
  [[nodiscard]] bool empty() const { return users.empty() && groups.empty(); }
};
// Names are the numbers in decimal ("root" for 0), as podman has it, or with a letter in front where the
// image has that name for another ID. An image without passwd (or group) gets root's entry too. The host's
// users come first.
MissingEntries missing_entries(const AccountFiles& files, const ResolvedUser& user,
                               const WantedEntries& wanted = {});

// The lines to add, newlines included, and HOME once they are: a template may name another than `home`.
struct AddedLines {
  std::vector<std::string> passwd;
  std::vector<std::string> group;
  std::string home;
  std::vector<std::string> warnings;  // whole sentences
};
// Code::refused for a line that would be more or something else than the one entry, and for a name that
// somebody else has.
Result<AddedLines> added_lines(const IdentityRequest& request, std::string_view home);

// `text` with lines at its end; a last line without a newline gets one.
std::string with_lines(std::string_view text, std::span<const std::string> lines);

// Undoes with_lines() for a commit: takes out each of `lines` that the container has left as it was, wherever
// it stands, and nothing else. Where that is all that was changed, the result is `original`, byte for byte.
std::string without_lines(std::string_view text, std::span<const std::string> lines,
                          std::string_view original);

// A container whose writable layer has a passwd of its own keeps that one: its text, or nullopt if it has
// none there (a whiteout). Where that has no entry for the user, the sentence to warn with.
std::optional<std::string> own_passwd_warning(std::optional<std::string_view> passwd_in_upper,
                                              const ResolvedUser& user);

// Whether a user may write to a directory, by owner, group and mode; root may.
bool may_write(const struct stat& directory, const ResolvedUser& user);
bool may_search(const struct stat& directory, const ResolvedUser& user);

// HOME: the passwd entry's home if the user can write there, else the working directory if it is not "/" and
// the user can write there, else /tmp. Never "/" unless the image's entry says so for a user who can write
// there.
std::string choose_home(const store::LayerStack& image, const ResolvedUser& user,
                        std::string_view working_directory);

// The same where only a look tells whether there is a directory at a path in which the user can write.
using CanLiveIn = std::function<bool(std::string_view path)>;
std::string choose_home(const CanLiveIn& can_live_in, const ResolvedUser& user,
                        std::string_view working_directory);

// True where HOME is the entry's home without looking: root, whom no mode keeps out.
bool home_is_certain(const ResolvedUser& user);

}  // namespace berth::engine
