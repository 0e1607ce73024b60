#include "store/image_path.h"

#include <array>
#include <cerrno>
#include <climits>

#include <fcntl.h>
#include <unistd.h>

#include "sys/descriptor_path.h"
#include "sys/file.h"

namespace berth::store {

namespace {

// The kernel's MAXSYMLINKS.
constexpr int kMaxLinks = 40;

// What is still to be walked, the next part last.
using Pending = std::vector<std::string>;

void push_path(Pending& pending, std::string_view path) {
  while (!path.empty()) {
    const size_t slash = path.rfind('/');
    const std::string_view part = slash == std::string_view::npos ? path : path.substr(slash + 1);
    if (!part.empty() && part != ".") pending.emplace_back(part);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  }
}

Result<std::string> read_link(int link) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlinkat(link, "", target.data(), target.size());
  if (length < 0) return fail_errno(errno, "read a link");
  if (static_cast<size_t>(length) == target.size()) return fail(Code::refused, "a link is too long");
  return std::string(target.data(), static_cast<size_t>(length));
}

class Walk {
 public:
  Walk(const LayerStack& layers, std::string_view path) : layers_(layers) { push_path(pending_, path); }

  Result<ImagePath> run() {
    way_.push_back(TRY(layers_.root()));
    while (!pending_.empty()) {
      const std::string part = std::move(pending_.back());
      pending_.pop_back();
      if (exists()) {
        if (!here().directory) return fail(Code::refused, "/{} is not a directory", found_.text());
        found_.searched.push_back(here().attributes);
      }
      TRY(part == ".." ? step_up() : step(part));
    }
    if (exists()) {
      found_.target = here().attributes;
      found_.handle = std::move(way_.back().handle);
    }
    return std::move(found_);
  }

 private:
  [[nodiscard]] bool exists() const { return found_.existing == found_.parts.size(); }
  [[nodiscard]] const StackEntry& here() const { return way_.back(); }

  Result<> step_up() {
    if (!exists()) return fail(Code::refused, "/{} does not exist", found_.text());
    if (found_.parts.empty()) return {};
    found_.parts.pop_back();
    found_.existing = found_.parts.size();
    way_.pop_back();
    return {};
  }

  Result<> step(const std::string& part) {
    if (!exists()) {
      found_.parts.push_back(part);
      return {};
    }
    std::optional<StackEntry> next = TRY(here().directory->look_up(part));
    if (next && S_ISLNK(next->attributes.st_mode)) return enter_link(part, next->handle.get());
    found_.parts.push_back(part);
    if (!next) return {};
    found_.existing = found_.parts.size();
    way_.push_back(std::move(*next));
    return {};
  }

  Result<> enter_link(const std::string& name, int link) {
    if (++links_ > kMaxLinks) {
      return fail(Code::refused, "/{}{}{} has more than {} links", found_.text(),
                  found_.parts.empty() ? "" : "/", name, kMaxLinks);
    }
    const std::string target = TRY(read_link(link));
    push_path(pending_, target);
    if (!target.starts_with('/')) return {};
    found_.parts.clear();
    found_.existing = 0;
    way_.erase(way_.begin() + 1, way_.end());
    return {};
  }

  const LayerStack& layers_;
  Pending pending_;
  ImagePath found_;
  std::vector<StackEntry> way_;  // what exists, from the root on
  int links_ = 0;
};

}  // namespace

std::string ImagePath::prefix(size_t count) const {
  std::string out;
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) out += '/';
    out += parts[i];
  }
  return out;
}

Result<ImagePath> follow(const LayerStack& layers, std::string_view path) {
  if (path.size() >= PATH_MAX) return fail(Code::refused, "the path has {} bytes", path.size());
  return TRY_CONTEXT(Walk(layers, path).run(), "{}", path);
}

Result<std::optional<std::string>> read_file(const LayerStack& layers, std::string_view path, size_t limit) {
  if (layers.empty()) return std::nullopt;
  const ImagePath place = TRY(follow(layers, path));
  if (!place.exists()) return std::nullopt;
  if (!S_ISREG(place.target->st_mode)) return fail(Code::refused, "{} is not a regular file", path);
  const sys::UniqueFd fd =
      TRY(sys::open_at(AT_FDCWD, sys::descriptor_path(place.handle.get()), O_RDONLY | O_NONBLOCK | O_NOCTTY));
  return TRY_CONTEXT(sys::read_all(fd.get(), limit), "read {}", path);
}

}  // namespace berth::store
