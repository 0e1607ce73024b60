#include "registry/blob_stream.h"

#include <algorithm>
#include <array>

#include "base/log.h"
#include "registry/answer.h"

namespace berth::registry {

namespace {
constexpr uint64_t kProgress = 1UL << 20;
}

BlobStream::BlobStream(Client& client, std::string repository, oci::Descriptor descriptor,
                       std::function<void(size_t)> on_bytes)
    : client_(client),
      repository_(std::move(repository)),
      descriptor_(std::move(descriptor)),
      on_bytes_(std::move(on_bytes)),
      plan_(client.new_plan()) {}

Result<size_t> BlobStream::read(std::span<std::byte> buffer) {
  while (true) {
    Attempt<size_t> got = try_read(buffer);
    if (got) {
      offset_ += *got;
      if (*got > 0 && on_bytes_) on_bytes_(*got);
      return *got;
    }
    response_.reset();
    if (offset_ - offset_at_reset_ >= kProgress) {
      plan_.reset();
      offset_at_reset_ = offset_;
    }
    const auto delay = plan_.next(got.error());
    if (!delay) {
      Error error = std::move(got).error();
      if (plan_.tried() > 0) error.message += fmt::format(" (tried {} times)", plan_.tried() + 1);
      return std::unexpected(std::move(error).context(fmt::format(
          "fetch the layer {} ({} of {} bytes came)", descriptor_.digest.str(), offset_, descriptor_.size)));
    }
    log::debug("the layer {} goes on at byte {}", descriptor_.digest.str(), offset_);
    client_.wait(got.error(), *delay);
  }
}

Attempt<size_t> BlobStream::try_read(std::span<std::byte> buffer) {
  if (offset_ == descriptor_.size && response_ == nullptr) return 0;
  if (!response_) TRY(open_at_offset());
  const size_t n = TRY(response_->read(buffer));
  const uint64_t left = descriptor_.size - offset_;
  if (n > left) {
    return std::unexpected(
        Failure(Error{Code::refused, 0,
                      fmt::format("the registry {} sends more than the manifest says", client_.registry()),
                      "The registry is broken or lies; nothing of the image was kept."}));
  }
  if (n == 0 && left > 0) {
    return std::unexpected(
        Failure(Error{Code::failed,
                      0,
                      fmt::format("the registry {} sends less than the manifest says", client_.registry()),
                      {}},
                true));
  }
  return n;
}

Attempt<void> BlobStream::open_at_offset() {
  std::vector<std::pair<std::string, std::string>> headers;
  if (offset_ > 0) headers.emplace_back("Range", fmt::format("bytes={}-{}", offset_, descriptor_.size - 1));
  response_ = TRY(client_.get(fmt::format("{}/blobs/{}", repository_, descriptor_.digest.str()),
                              pull_scope(repository_), headers));
  const long status = response_->status();
  if (status == 206 && offset_ > 0) return check_range(*response_);
  if (status != 200)
    return std::unexpected(failure_of(*response_, fmt::format("the registry {}", client_.registry())));
  const std::string encoding = response_->headers().first("content-encoding");
  if (!encoding.empty() && encoding != "identity") {
    return std::unexpected(
        Failure(Error{Code::refused,
                      0,
                      fmt::format("the registry compressed a layer (Content-Encoding: {}) unasked", encoding),
                      {}}));
  }
  const auto length = response_->content_length();
  if (length && *length != descriptor_.size) {
    return std::unexpected(Failure(Error{
        Code::refused, 0, fmt::format("the registry {} announces {} bytes", client_.registry(), *length),
        "The registry is broken or lies; nothing of the image was kept."}));
  }
  return skip(offset_);
}

// The answer to a Range must be the very part that was asked for, or two different parts would be put
// together.
Attempt<void> BlobStream::check_range(const Response& response) const {
  const std::string range = response.headers().first("content-range");
  const std::string wanted = fmt::format("bytes {}-{}/", offset_, descriptor_.size - 1);
  const bool same_part = range.starts_with(wanted);
  const std::string total = same_part ? range.substr(wanted.size()) : std::string();
  if (same_part && (total == "*" || total == std::to_string(descriptor_.size))) return {};
  return std::unexpected(
      Failure(Error{Code::refused, 0,
                    fmt::format("the registry {} was asked for \"{}{}\" and gave \"{}\"", client_.registry(),
                                wanted, descriptor_.size, range.substr(0, 100)),
                    "The registry does not resume properly; try again."}));
}

Attempt<void> BlobStream::skip(uint64_t bytes) {
  std::array<std::byte, 65536> buffer{};
  while (bytes > 0) {
    const size_t n = TRY(response_->read(std::span(buffer).first(std::min<uint64_t>(bytes, buffer.size()))));
    if (n == 0)
      return std::unexpected(Failure(Error{Code::failed, 0, "the registry sent less than before", {}}, true));
    bytes -= n;
  }
  return {};
}

}  // namespace berth::registry
