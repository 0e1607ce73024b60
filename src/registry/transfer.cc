#include "registry/transfer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/letter_case.h"

namespace berth::registry {

namespace {

constexpr size_t kMaxHeaderBytes = 64UL << 10;
constexpr size_t kOverflowHighWater = 256UL << 10;
constexpr long kReceiveBuffer = 256L << 10;
// Fewer bytes than this in one stall time-out is as good as none.
constexpr size_t kLeastPerWindow = 64;
constexpr int kPollMs = 500;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() &&
         (text.back() == ' ' || text.back() == '\t' || text.back() == '\r' || text.back() == '\n')) {
    text.remove_suffix(1);
  }
  return text;
}

bool is_broken_connection(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
      return true;
    default:
      return false;
  }
}

// `handshake_done`: then there is TLS at the other end.
bool may_have_no_tls(CURLcode code, bool handshake_done) {
  if (handshake_done) return false;
  return code == CURLE_SSL_CONNECT_ERROR || code == CURLE_COULDNT_CONNECT || code == CURLE_GOT_NOTHING ||
         code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_OPERATION_TIMEDOUT;
}

std::string hint_for(CURLcode code, const std::string& host) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return fmt::format(
          "If its authority is your own, put the certificate as ca.crt into "
          "/etc/containers/certs.d/{}/ or a directory for --cert-dir.",
          host);
    case CURLE_COULDNT_RESOLVE_HOST:
      return "Check the name of the registry and the network's DNS.";
    case CURLE_COULDNT_CONNECT:
      return "Check that the registry runs and that its port is the one in the reference.";
    case CURLE_SSL_CONNECT_ERROR:
      return "If the registry speaks plain HTTP and you trust the network, use --tls-verify=false.";
    default:
      return {};
  }
}

}  // namespace

Result<std::unique_ptr<Transfer>> Transfer::create() {
  CURLM* multi = curl_multi_init();
  CURL* easy = curl_easy_init();
  if (multi == nullptr || easy == nullptr) {
    curl_multi_cleanup(multi);
    curl_easy_cleanup(easy);
    return fail("set up libcurl: out of memory");
  }
  return std::unique_ptr<Transfer>(new Transfer(multi, easy));
}

Transfer::~Transfer() {
  end();
  curl_easy_cleanup(easy_);
  curl_multi_cleanup(multi_);
}

void Transfer::end() {
  if (added_) curl_multi_remove_handle(multi_, easy_);
  added_ = false;
  curl_slist_free_all(request_headers_);
  request_headers_ = nullptr;
  curl_easy_reset(easy_);
}

Result<> Transfer::set_up(const Request& request, const HttpOptions& options,
                          const Certificates& certificates) {
  bool ok = true;
  const auto set = [&](CURLoption option, auto value) {
    ok = ok && curl_easy_setopt(easy_, option, value) == CURLE_OK;
  };
  set(CURLOPT_URL, request.url.text.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  // HTTP/2 would let a server fill a window of many megabytes for each layer while the reader is busy.
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_BUFFERSIZE, kReceiveBuffer);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_USERAGENT, "berth");
  set(CURLOPT_ERRORBUFFER, static_cast<char*>(error_text_));
  set(CURLOPT_SSL_VERIFYPEER, options.tls_verify ? 1L : 0L);
  set(CURLOPT_SSL_VERIFYHOST, options.tls_verify ? 2L : 0L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (is_loopback(request.url.host)) set(CURLOPT_PROXY, "");
  if (!certificates.authorities.empty()) {
    curl_blob blob{const_cast<char*>(certificates.authorities.data()), certificates.authorities.size(),
                   CURL_BLOB_COPY};
    set(CURLOPT_CAINFO_BLOB, &blob);
  }
  if (!certificates.client_certificate_path.empty()) {
    set(CURLOPT_SSLCERT, certificates.client_certificate_path.c_str());
    set(CURLOPT_SSLKEY, certificates.client_key_path.c_str());
  }
  for (const auto& [name, value] : request.headers) {
    curl_slist* longer = curl_slist_append(request_headers_, fmt::format("{}: {}", name, value).c_str());
    ok = ok && longer != nullptr;
    if (longer != nullptr) request_headers_ = longer;
  }
  set(CURLOPT_HTTPHEADER, request_headers_);
  if (request.form) {
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request.form->size()));
    set(CURLOPT_COPYPOSTFIELDS, request.form->c_str());
  }
  set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(CURLOPT_WRITEDATA, this);
  if (!ok || curl_multi_add_handle(multi_, easy_) != CURLM_OK) return fail("set up a request to {}", host_);
  added_ = true;
  return {};
}

Attempt<void> Transfer::begin(const Request& request, const HttpOptions& options,
                              const Certificates& certificates) {
  host_ = request.url.host + ":" + request.url.port;
  stall_timeout_ = options.stall_timeout;
  headers_.clear();
  header_bytes_ = 0;
  headers_done_ = done_ = paused_ = headers_too_long_ = false;
  overflow_.clear();
  overflow_used_ = 0;
  error_text_[0] = '\0';
  broken_.reset();
  waited_ = {};
  window_bytes_ = 0;
  TRY(set_up(request, options, certificates));
  while (!headers_done_ && !done_) {
    Attempt<void> outcome = step();
    // What has come of the body is to be read first.
    if (!outcome && headers_done_)
      broken_ = std::move(outcome).error();
    else
      TRY(std::move(outcome));
  }
  return {};
}

Attempt<size_t> Transfer::read(std::span<std::byte> buffer) {
  if (overflow_used_ < overflow_.size()) {
    const size_t n = std::min(buffer.size(), overflow_.size() - overflow_used_);
    std::memcpy(buffer.data(), overflow_.data() + overflow_used_, n);
    overflow_used_ += n;
    return n;
  }
  overflow_.clear();
  overflow_used_ = 0;
  if (broken_) return std::unexpected(*broken_);
  sink_ = buffer;
  if (paused_) {
    paused_ = false;
    curl_easy_pause(easy_, CURLPAUSE_CONT);
  }
  while (sink_.size() == buffer.size() && !done_ && !broken_) {
    Attempt<void> outcome = step();
    if (!outcome) broken_ = std::move(outcome).error();
  }
  const size_t n = buffer.size() - sink_.size();
  sink_ = {};
  if (broken_ && n == 0) return std::unexpected(*broken_);
  return n;
}

// Lets curl work and, if it did nothing, waits for the network a while.
Attempt<void> Transfer::step() {
  const size_t before = window_bytes_;
  int running = 0;
  if (curl_multi_perform(multi_, &running) != CURLM_OK)
    return std::unexpected(Failure(Error{.message = "libcurl failed"}));
  int queued = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &queued)) {
    if (message->msg != CURLMSG_DONE) continue;
    done_ = true;
    if (message->data.result != CURLE_OK) return std::unexpected(failure(message->data.result));
  }
  if (done_ || (headers_done_ && window_bytes_ != before)) return {};
  if (waited_ >= stall_timeout_) {
    if (window_bytes_ < kLeastPerWindow) return std::unexpected(stalled());
    waited_ = {};
    window_bytes_ = 0;
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(stall_timeout_ - waited_).count();
  const auto start = std::chrono::steady_clock::now();
  curl_multi_poll(multi_, nullptr, 0, static_cast<int>(std::clamp<int64_t>(left, 1, kPollMs)), nullptr);
  waited_ += std::chrono::steady_clock::now() - start;
  return {};
}

Failure Transfer::stalled() const {
  Error error{Code::failed, ETIMEDOUT,
              fmt::format("{} sent {} for {:g} seconds", host_,
                          headers_done_ ? "next to nothing of the content" : "no answer",
                          std::chrono::duration<double>(stall_timeout_).count()),
              "The registry or the network hangs; try again later."};
  return {std::move(error), true};
}

Failure Transfer::failure(CURLcode code) const {
  if (headers_too_long_) {
    return Error{
        Code::refused, 0, fmt::format("{} sent more than {} bytes of headers", host_, kMaxHeaderBytes), {}};
  }
  std::string why = error_text_[0] != '\0' ? std::string(error_text_) : std::string(curl_easy_strerror(code));
  long err = 0;
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &err);
  if (code == CURLE_COULDNT_CONNECT && err != 0) why = describe_errno(static_cast<int>(err));
  std::string what;
  if (code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING ||
      code == CURLE_SEND_ERROR) {
    what = fmt::format("{} broke the connection: {}", host_, why);
  } else {
    what = fmt::format("cannot reach {}: {}", host_, why);
  }
  Failure out(Error{Code::failed, 0, std::move(what), hint_for(code, host_)}, is_broken_connection(code));
  curl_off_t handshake_time = 0;
  curl_easy_getinfo(easy_, CURLINFO_APPCONNECT_TIME_T, &handshake_time);
  out.no_tls = may_have_no_tls(code, handshake_time > 0);
  return out;
}

size_t Transfer::on_header(char* data, size_t size, size_t count, void* self) {
  return static_cast<Transfer*>(self)->take_header({data, size * count}) ? size * count : 0;
}

bool Transfer::take_header(std::string_view line) {
  window_bytes_ += line.size();
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxHeaderBytes) {
    headers_too_long_ = true;
    return false;
  }
  if (line.starts_with("HTTP/")) {
    headers_.clear();  // the headers so far were those of a "100 Continue"
    return true;
  }
  const std::string_view text = trimmed(line);
  if (text.empty()) {
    headers_done_ = status() >= 200;
    return true;
  }
  const size_t colon = text.find(':');
  // Trailers after the body are of no use here.
  if (colon == std::string_view::npos || headers_done_) return true;
  headers_.add(small(text.substr(0, colon)), std::string(trimmed(text.substr(colon + 1))));
  return true;
}

size_t Transfer::on_body(char* data, size_t size, size_t count, void* self_pointer) {
  auto* self = static_cast<Transfer*>(self_pointer);
  const size_t length = size * count;
  if (self->overflow_.size() >= kOverflowHighWater) {
    self->paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  self->window_bytes_ += length;
  const size_t direct = self->overflow_.empty() ? std::min(length, self->sink_.size()) : 0;
  if (direct > 0) {
    std::memcpy(self->sink_.data(), data, direct);
    self->sink_ = self->sink_.subspan(direct);
  }
  const auto* rest = reinterpret_cast<const std::byte*>(data) + direct;
  self->overflow_.insert(self->overflow_.end(), rest, rest + (length - direct));
  return length;
}

long Transfer::status() const {
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

std::string Transfer::location() const {
  char* url = nullptr;
  curl_easy_getinfo(easy_, CURLINFO_REDIRECT_URL, &url);
  return url == nullptr ? std::string() : std::string(url);
}

std::optional<uint64_t> Transfer::content_length() const {
  curl_off_t length = -1;
  curl_easy_getinfo(easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  if (length < 0) return std::nullopt;
  return static_cast<uint64_t>(length);
}

}  // namespace berth::registry
