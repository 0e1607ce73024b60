#include "registry/http.h"

#include <array>

#include "registry/transfer.h"

namespace berth::registry {

namespace {
constexpr size_t kMaxIdle = 8;
}

std::string Headers::first(const std::string& name) const {
  const auto found = fields_.find(name);
  return found == fields_.end() ? std::string() : found->second;
}

std::vector<std::string> Headers::all(const std::string& name) const {
  std::vector<std::string> out;
  const auto [begin, end] = fields_.equal_range(name);
  for (auto it = begin; it != end; ++it) out.push_back(it->second);
  return out;
}

Response::Response(HttpClient& client, std::unique_ptr<Transfer> transfer)
    : client_(client), transfer_(std::move(transfer)) {}

Response::~Response() {
  transfer_->end();
  client_.give_back(std::move(transfer_));
}

long Response::status() const {
  return transfer_->status();
}
const Headers& Response::headers() const {
  return transfer_->headers();
}
std::string Response::location() const {
  return transfer_->location();
}
std::optional<uint64_t> Response::content_length() const {
  return transfer_->content_length();
}
Attempt<size_t> Response::read(std::span<std::byte> buffer) {
  return transfer_->read(buffer);
}

Attempt<std::string> Response::read_all(size_t limit) {
  const auto too_long = [&](std::string_view size) {
    return std::unexpected(Failure(Error{
        Code::refused, 0, fmt::format("the answer has {} bytes, and at most {} are read", size, limit), {}}));
  };
  if (const auto length = content_length(); length && *length > limit)
    return too_long(std::to_string(*length));
  std::string body;
  std::array<std::byte, 16384> buffer{};
  while (true) {
    const size_t n = TRY(read(buffer));
    if (n == 0) return body;
    if (body.size() + n > limit) return too_long("more");
    body.append(reinterpret_cast<const char*>(buffer.data()), n);
  }
}

HttpClient::HttpClient(HttpOptions options) : options_(std::move(options)) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

HttpClient::~HttpClient() = default;

Result<Certificates> HttpClient::certificates_for(const Url& url) {
  if (url.plain()) return Certificates{};
  // A reference that leaves the port out is looked up without one.
  const std::string host = url.port == "443" ? url.host : url.host + ":" + url.port;
  const std::lock_guard lock(mutex_);
  const auto found = certificates_.find(host);
  if (found != certificates_.end()) return found->second;
  const bool own = host == options_.cert_dir_host;
  Certificates certificates = TRY(find_certificates(host, own ? options_.cert_dir : std::string()));
  certificates_.emplace(host, certificates);
  return certificates;
}

void HttpClient::give_back(std::unique_ptr<Transfer> transfer) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMaxIdle) idle_.push_back(std::move(transfer));
}

Attempt<std::unique_ptr<Response>> HttpClient::open(const Request& request) {
  const Certificates certificates = TRY(certificates_for(request.url));
  std::unique_ptr<Transfer> transfer;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      transfer = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!transfer) transfer = TRY(Transfer::create());
  TRY(transfer->begin(request, options_, certificates));
  return std::make_unique<Response>(*this, std::move(transfer));
}

}  // namespace berth::registry
