// HTTP requests whose bodies are pulled, over libcurl. No redirects, no authentication: client.h knows those.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "registry/failure.h"
#include "registry/tls.h"
#include "registry/url.h"

namespace berth::registry {

struct HttpOptions {
  bool tls_verify = true;
  std::string cert_dir;       // for `cert_dir_host` only; empty: the usual places
  std::string cert_dir_host;  // "localhost:5000"
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(20);  // TLS included
  // How long a server may send next to nothing, before its answer as in the middle of it.
  std::chrono::milliseconds stall_timeout = std::chrono::seconds(30);
};

struct Request {
  Url url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::string> form;  // POST it, as application/x-www-form-urlencoded
};

// Header fields; names in lower case.
class Headers {
 public:
  void add(std::string name, std::string value) { fields_.emplace(std::move(name), std::move(value)); }
  void clear() { fields_.clear(); }
  [[nodiscard]] std::string first(const std::string& name) const;  // "" if there is none
  [[nodiscard]] std::vector<std::string> all(const std::string& name) const;

 private:
  std::multimap<std::string, std::string> fields_;
};

class Transfer;
class HttpClient;

// An answer whose headers have come. One thread reads it; the client must outlive it.
class Response {
 public:
  Response(HttpClient& client, std::unique_ptr<Transfer> transfer);
  Response(const Response&) = delete;
  Response& operator=(const Response&) = delete;
  ~Response();

  [[nodiscard]] long status() const;
  [[nodiscard]] const Headers& headers() const;
  // Where a 3xx answer points, made absolute; "" if nowhere.
  [[nodiscard]] std::string location() const;
  // The length that was announced.
  [[nodiscard]] std::optional<uint64_t> content_length() const;
  // Bytes of the body as they were sent; 0 at its end. A body that ends before its announced length is an
  // error that is worth a retry.
  Attempt<size_t> read(std::span<std::byte> buffer);
  // All of it, refused if it is longer than `limit` bytes.
  Attempt<std::string> read_all(size_t limit);

 private:
  HttpClient& client_;
  std::unique_ptr<Transfer> transfer_;
};

// Any number of threads may open requests at once. Connections are kept and used again. Proxies are taken
// from the environment (https_proxy, no_proxy) as curl does, but never for loopback.
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();

  Attempt<std::unique_ptr<Response>> open(const Request& request);
  [[nodiscard]] const HttpOptions& options() const { return options_; }

 private:
  friend class Response;
  Result<Certificates> certificates_for(const Url& url);
  void give_back(std::unique_ptr<Transfer> transfer);
  HttpOptions options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Transfer>> idle_;
  std::map<std::string, Certificates> certificates_;
};

}  // namespace berth::registry
