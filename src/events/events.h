// What happens to containers, images, volumes and networks, for `berth events`: one line of JSON each,
// appended to a small file below the store's root. Written by whoever does the thing, monitor and engine
// alike, so it needs no JSON library and no database.
//
//   events/current    lines as line() makes them, in the order in which they were written
//   events/previous   what was current until it had kLargestFile bytes; the one before that is gone
//
// Calling it for a container from the engine: engine/container/announce.h, which knows its labels.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::events {

enum class Type { container, image, volume, network };

// "container", "image", "volume", "network".
std::string_view type_name(Type type);

// What podman calls them. An action that is not here is as good, if podman or Docker has no word for it.
inline constexpr std::string_view kCreate = "create";
inline constexpr std::string_view kStart = "start";
inline constexpr std::string_view kDied = "died";  // with the attribute kExitCode
inline constexpr std::string_view kStop = "stop";
inline constexpr std::string_view kKill = "kill";  // with the attribute kSignal
inline constexpr std::string_view kRestart = "restart";
inline constexpr std::string_view kRemove = "remove";
inline constexpr std::string_view kRename = "rename";  // with the attribute kOldName
inline constexpr std::string_view kUpdate = "update";
inline constexpr std::string_view kPause = "pause";
inline constexpr std::string_view kUnpause = "unpause";
inline constexpr std::string_view kOom = "oom";
inline constexpr std::string_view kExec = "exec";
inline constexpr std::string_view kExecDied = "exec_died";          // with the attribute kExitCode
inline constexpr std::string_view kHealthStatus = "health_status";  // with the attribute kHealth
inline constexpr std::string_view kUnfinished = "unfinished";       // with the attribute kReason
inline constexpr std::string_view kAttach = "attach";
inline constexpr std::string_view kCommit = "commit";
inline constexpr std::string_view kCopy = "copy";
inline constexpr std::string_view kExport = "export";
inline constexpr std::string_view kPull = "pull";
inline constexpr std::string_view kTag = "tag";
inline constexpr std::string_view kUntag = "untag";
inline constexpr std::string_view kLoad = "loadfromarchive";
inline constexpr std::string_view kSave = "save";
inline constexpr std::string_view kImport = "import";
inline constexpr std::string_view kConnect = "connect";        // of a network, with kContainer
inline constexpr std::string_view kDisconnect = "disconnect";  // likewise

// Attributes that have a meaning. All others of a container are its labels.
inline constexpr std::string_view kExitCode = "containerExitCode";
inline constexpr std::string_view kSignal = "signal";
inline constexpr std::string_view kOldName = "oldName";
inline constexpr std::string_view kHealth = "health_status";  // "starting", "healthy", "unhealthy"
inline constexpr std::string_view kContainer = "container";   // a container's ID
inline constexpr std::string_view kReason = "reason";         // why an exit code is not known

struct Attribute {
  std::string key;
  std::string value;
};

struct Event {
  Type type = Type::container;
  std::string_view action;
  std::string id;     // of the container, image or network; a volume's name
  std::string name;   // of the container, image, volume or network
  std::string image;  // of a container: the image's name
  std::vector<Attribute> attributes;
  int64_t time = 0;  // nanoseconds since 1970; 0: now
};

// Below the store's root.
inline constexpr const char* kDirectory = "events";
inline constexpr const char* kCurrentFile = "current";
inline constexpr const char* kPreviousFile = "previous";
inline constexpr int64_t kLargestFile = int64_t{8} << 20;
// Of a line, in bytes. Attributes that would make it longer are left out, the last ones first.
inline constexpr size_t kLongestLine = size_t{32} << 10;
// What each line begins with. It occurs nowhere else in one, so a line that another, torn by a full disk,
// stands before can still be read.
inline constexpr std::string_view kLineBegin = R"({"time":)";

// {"time":…,"type":"container","action":"died","id":"…","name":"…","image":"…","attributes":{"k":"v"}} and a
// line's end. Text that is not UTF-8 comes as printable() shows it.
std::string line(const Event& event);

// Appends an event to the store's, `root` being its root directory's descriptor (O_PATH will do). One
// write(2) with O_APPEND: lines never mix. Not synced to the disk. Waits for nothing but another writer's
// rename.
Result<> append(int root, const Event& event);

// The same, where it must not matter: what has happened has happened, even if there is no room to say so. A
// failure is logged at level debug.
void record(int root, const Event& event);

}  // namespace berth::events
