#include "engine/translation/translate_tree.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/file.h"
#include "sys/openat2.h"

namespace berth::engine {

namespace {

// A directory below the root of a tree by its path ("" is the root); a path may be longer than the kernel
// takes at once. Descriptors are not kept meanwhile, as trees can be deeper than a process may have of them.
Result<sys::UniqueFd> open_below(int root, std::string_view path) {
  constexpr uint64_t kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  constexpr uint64_t kStay = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  constexpr size_t kLongest = 4000;
  sys::UniqueFd here;
  while (path.size() > kLongest) {
    const size_t slash = path.rfind('/', kLongest);
    here = TRY(sys::open_at2(here.valid() ? here.get() : root, std::string(path.substr(0, slash)), kFlags, 0,
                             kStay));
    path.remove_prefix(slash + 1);
  }
  return sys::open_at2(here.valid() ? here.get() : root, path.empty() ? "." : std::string(path), kFlags, 0,
                       kStay);
}

struct Directory {
  std::string path;
  struct stat attributes{};
  std::atomic<size_t> unfinished{0};  // parts of it; whoever finishes the last gives it its attributes
};
using SharedDirectory = std::shared_ptr<Directory>;

// Some of a directory's names, or the directory as a whole, whose names are not known yet.
struct Part {
  SharedDirectory directory;
  std::optional<std::vector<std::string>> names;
};

// A further name of a file that has several.
struct Link {
  std::string first_path;
  std::string first_name;
  SharedDirectory directory;
  std::string name;
};

// What there is to do. The newest is done first, so that little is waiting at a time.
class Work {
 public:
  void add(Part part) {
    const std::lock_guard lock(mutex_);
    parts_.push_back(std::move(part));
    changed_.notify_one();
  }
  // None: all is done, or somebody has failed.
  std::optional<Part> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return failure_ || !parts_.empty() || busy_ == 0; });
    if (failure_ || parts_.empty()) return std::nullopt;
    Part part = std::move(parts_.back());
    parts_.pop_back();
    ++busy_;
    return part;
  }
  void done(Result<> outcome) {
    const std::lock_guard lock(mutex_);
    --busy_;
    if (!outcome && !failure_) failure_ = std::move(outcome).error();
    if (failure_ || busy_ == 0) changed_.notify_all();
  }
  [[nodiscard]] bool failed() {
    const std::lock_guard lock(mutex_);
    return failure_.has_value();
  }
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }  // once all have ended

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Part> parts_;
  size_t busy_ = 0;
  std::optional<Error> failure_;
};

class TreeCopier {
 public:
  TreeCopier(int source, int target, const idmap::Shift& shift, const Interrupted& interrupted)
      : source_(source), target_(target), entries_{shift, stop_}, interrupted_(interrupted) {}

  Result<TreeCopy> run() {
    add_directory("");
    std::vector<std::thread> others;
    const unsigned threads = std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads);
    try {
      while (others.size() + 1 < threads) others.emplace_back([this] { copy_parts(); });
    } catch (const std::system_error& e) {
      log::debug("copying with {} threads: {}", others.size() + 1, e.what());
    }
    copy_parts();
    for (std::thread& other : others) other.join();
    if (work_.failure()) return std::unexpected(*work_.failure());
    for (const Link& link : links_) TRY_CONTEXT(make_link(link), "{}/{}", link.directory->path, link.name);
    return TreeCopy{files_, bytes_};
  }

 private:
  static constexpr unsigned kMostThreads = 8;
  static constexpr size_t kPartSize = 256;

  void add_directory(std::string path) {
    auto directory = std::make_shared<Directory>();
    directory->path = std::move(path);
    directory->unfinished = 1;
    work_.add({std::move(directory), std::nullopt});
  }

  void copy_parts() {
    while (std::optional<Part> part = work_.take()) work_.done(copy_part(*part));
  }

  Result<> copy_part(Part& part) {
    const sys::UniqueFd from = TRY(open_below(source_, part.directory->path));
    const sys::UniqueFd to = TRY(open_below(target_, part.directory->path));
    if (!part.names) TRY(list(part, from.get()));
    for (const std::string& name : *part.names) {
      if (entries_.interrupted()) return fail("interrupted");
      TRY_CONTEXT(copy_entry(*part.directory, part.directory, from.get(), to.get(), name), "{}/{}",
                  part.directory->path, name);
    }
    if (--part.directory->unfinished > 0) return {};
    TRY_CONTEXT(entries_.copy_directory_attributes(from.get(), to.get(), part.directory->attributes), "{}/",
                part.directory->path);
    return {};
  }

  // Leaves all names but a part's share to others.
  Result<> list(Part& part, int from) {
    if (::fstat(from, &part.directory->attributes) != 0) return fail_errno(errno, "stat a directory");
    std::vector<std::string> names = TRY(sys::list_dir(from));
    // In the order of the file system's own index that would be as good, but not the same every time.
    std::sort(names.begin(), names.end());
    while (names.size() > kPartSize) {
      const auto begin = names.end() - static_cast<std::ptrdiff_t>(kPartSize);
      ++part.directory->unfinished;
      work_.add({part.directory, std::vector<std::string>(std::make_move_iterator(begin),
                                                          std::make_move_iterator(names.end()))});
      names.erase(begin, names.end());
    }
    part.names = std::move(names);
    return {};
  }

  Result<> copy_entry(const Directory& directory, const SharedDirectory& shared, int from, int to,
                      const std::string& name) {
    const struct stat attributes = TRY(sys::stat_at(from, name, AT_SYMLINK_NOFOLLOW));
    ++files_;
    if (S_ISDIR(attributes.st_mode)) {
      if (::mkdirat(to, name.c_str(), 0700) != 0) return fail_errno(errno, "make the directory");
      add_directory(directory.path.empty() ? name : directory.path + "/" + name);
      return {};
    }
    if (attributes.st_nlink > 1 && is_further_name(attributes, shared, name)) return {};
    if (S_ISREG(attributes.st_mode)) bytes_ += attributes.st_size;
    return entries_.copy(from, to, name, attributes);
  }

  bool is_further_name(const struct stat& attributes, const SharedDirectory& directory,
                       const std::string& name) {
    const std::lock_guard lock(links_mutex_);
    const auto [first, is_new] =
        first_names_.try_emplace({attributes.st_dev, attributes.st_ino}, std::pair(directory->path, name));
    if (is_new) return false;
    links_.push_back({first->second.first, first->second.second, directory, name});
    return true;
  }

  // Once everything else is there. The directory's times were right already.
  [[nodiscard]] Result<> make_link(const Link& link) const {
    const sys::UniqueFd from = TRY(open_below(target_, link.first_path));
    const sys::UniqueFd to = TRY(open_below(target_, link.directory->path));
    if (::linkat(from.get(), link.first_name.c_str(), to.get(), link.name.c_str(), 0) != 0)
      return fail_errno(errno, "make the hard link");
    const std::array<timespec, 2> times{link.directory->attributes.st_atim,
                                        link.directory->attributes.st_mtim};
    if (::futimens(to.get(), times.data()) != 0) return fail_errno(errno, "set the times");
    return {};
  }

  int source_;
  int target_;
  Work work_;
  const Interrupted stop_ = [this] { return interrupted_() || work_.failed(); };
  EntryCopier entries_;
  const Interrupted& interrupted_;
  std::atomic<int64_t> files_{0};
  std::atomic<int64_t> bytes_{0};
  std::mutex links_mutex_;
  std::map<std::pair<dev_t, ino_t>, std::pair<std::string, std::string>> first_names_;
  std::vector<Link> links_;
};

}  // namespace

Result<TreeCopy> copy_shifted(int source, int target, const idmap::Shift& shift,
                              const Interrupted& interrupted) {
  return TreeCopier(source, target, shift, interrupted).run();
}

}  // namespace berth::engine
