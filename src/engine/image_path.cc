#include "engine/image_path.h"

#include <array>
#include <cerrno>
#include <climits>

#include <fcntl.h>
#include <unistd.h>

#include "sys/file.h"

namespace berth::engine {

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
  Walk(const safepath::Root& root, std::string_view path) : root_(root) { push_path(pending_, path); }

  Result<ImagePath> run() {
    found_.target = TRY(sys::stat_at(root_.fd(), "", AT_EMPTY_PATH));
    while (!pending_.empty()) {
      const std::string part = std::move(pending_.back());
      pending_.pop_back();
      if (found_.exists()) {
        if (!S_ISDIR(found_.target->st_mode)) {
          return fail(Code::refused, "/{} is not a directory", found_.text());
        }
        found_.searched.push_back(*found_.target);
      }
      TRY(part == ".." ? step_up() : step(part));
    }
    return std::move(found_);
  }

 private:
  Result<> step_up() {
    if (!found_.exists()) return fail(Code::refused, "/{} does not exist", found_.text());
    if (found_.parts.empty()) return {};
    found_.parts.pop_back();
    found_.existing = found_.parts.size();
    const sys::UniqueFd here = TRY(root_.open(found_.text(), O_PATH | O_NOFOLLOW));
    found_.target = TRY(sys::stat_at(here.get(), "", AT_EMPTY_PATH));
    return {};
  }

  Result<> step(const std::string& part) {
    found_.parts.push_back(part);
    if (!found_.exists()) return {};
    const Result<sys::UniqueFd> here = root_.open(found_.text(), O_PATH | O_NOFOLLOW);
    if (!here) {
      if (here.error().err != ENOENT) return std::unexpected(here.error());
      found_.target.reset();
      return {};
    }
    const struct stat st = TRY(sys::stat_at(here->get(), "", AT_EMPTY_PATH));
    if (S_ISLNK(st.st_mode)) return enter_link(TRY(read_link(here->get())));
    found_.target = st;
    found_.existing = found_.parts.size();
    return {};
  }

  Result<> enter_link(const std::string& target) {
    if (++links_ > kMaxLinks)
      return fail(Code::refused, "/{} has more than {} links", found_.text(), kMaxLinks);
    found_.parts.pop_back();
    push_path(pending_, target);
    if (!target.starts_with('/')) return {};
    found_.parts.clear();
    found_.existing = 0;
    found_.target = TRY(sys::stat_at(root_.fd(), "", AT_EMPTY_PATH));
    return {};
  }

  const safepath::Root& root_;
  Pending pending_;
  ImagePath found_;
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

Result<ImagePath> follow(const safepath::Root& root, std::string_view path) {
  if (path.size() >= PATH_MAX) return fail(Code::refused, "the path has {} bytes", path.size());
  return TRY_CONTEXT(Walk(root, path).run(), "{}", path);
}

}  // namespace berth::engine
