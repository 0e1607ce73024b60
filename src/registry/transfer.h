// One curl handle in a loop of its own.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <curl/curl.h>

#include "registry/failure.h"
#include "registry/http.h"

namespace berth::registry {

class Transfer {
 public:
  static Result<std::unique_ptr<Transfer>> create();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer();

  // Sends the request and waits for the headers of the answer.
  Attempt<void> begin(const Request& request, const HttpOptions& options, const Certificates& certificates);
  Attempt<size_t> read(std::span<std::byte> buffer);
  // Ends the request, whatever its state; the handle may begin() another one.
  void end();

  [[nodiscard]] long status() const;
  [[nodiscard]] const Headers& headers() const { return headers_; }
  [[nodiscard]] std::string location() const;
  [[nodiscard]] std::optional<uint64_t> content_length() const;

 private:
  Transfer(CURLM* multi, CURL* easy) : multi_(multi), easy_(easy) {}
  static size_t on_header(char* data, size_t size, size_t count, void* self);
  static size_t on_body(char* data, size_t size, size_t count, void* self);
  Result<> set_up(const Request& request, const HttpOptions& options, const Certificates& certificates);
  Attempt<void> step();
  [[nodiscard]] Failure failure(CURLcode code) const;
  [[nodiscard]] Failure stalled() const;
  bool take_header(std::string_view line);

  CURLM* multi_;
  CURL* easy_;
  curl_slist* request_headers_ = nullptr;
  bool added_ = false;
  bool headers_done_ = false;
  bool done_ = false;
  bool paused_ = false;
  bool headers_too_long_ = false;
  Headers headers_;
  size_t header_bytes_ = 0;
  std::string host_;
  std::chrono::milliseconds stall_timeout_{};
  std::chrono::nanoseconds
      waited_{};  // for the network, in this window; the time the reader takes does not count
  size_t window_bytes_ = 0;
  std::span<std::byte> sink_;        // of the read() that is going on
  std::vector<std::byte> overflow_;  // what had no room in it
  size_t overflow_used_ = 0;
  std::optional<Failure> broken_;  // to tell once the bytes before it have been read
  char error_text_[CURL_ERROR_SIZE] = {};
};

}  // namespace berth::registry
