// A registry: manifests, blobs and tags by the distribution spec, version 2.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/error.h"
#include "oci/digest.h"
#include "oci/manifest.h"
#include "registry/auth_file.h"
#include "registry/authorizer.h"
#include "registry/http.h"
#include "registry/retry.h"

namespace berth::registry {

struct ClientOptions {
  HttpOptions http;
  RetryOptions retry;
  std::optional<Login> login;
  // Told before each wait; called from any thread. May be empty.
  std::function<void(const Error& failed, std::chrono::milliseconds wait)> on_retry;
};

// A document as the registry gave it; its digest has been checked against what was asked for.
struct Document {
  std::string bytes;
  std::string content_type;
  oci::Digest digest;
};

// Errors say which registry, what it was asked for, and why it failed. After connect() any number of threads
// may use one at once.
class Client {
 public:
  // Finds out how `registry` ("localhost:5000", "docker.io") is spoken to: by https, or by plain HTTP if it
  // is on this machine or options.http.tls_verify is false and nothing there speaks TLS.
  static Result<std::unique_ptr<Client>> connect(const std::string& registry, ClientOptions options);

  // A manifest or an index by tag.
  Result<Document> manifest_by_tag(const std::string& repository, const std::string& tag);
  // The same by digest; `size` is what a descriptor says it has, if there is one.
  Result<Document> manifest_by_digest(const std::string& repository, const oci::Digest& digest,
                                      std::optional<uint64_t> size = std::nullopt);

  // A whole blob of at most `limit` bytes, checked against its descriptor.
  Result<std::string> small_blob(const std::string& repository, const oci::Descriptor& descriptor,
                                 size_t limit);

  // A blob as a stream of exactly descriptor.size bytes, which goes on after a broken connection. The digest
  // is for the reader to check. `on_bytes` is told of each piece. The client must outlive it.
  Result<std::unique_ptr<ByteSource>> open_blob(const std::string& repository,
                                                const oci::Descriptor& descriptor,
                                                std::function<void(size_t bytes)> on_bytes = {});

  // At most 10,000.
  Result<std::vector<std::string>> tags(const std::string& repository);

  // Whether the registry accepts the login.
  Result<> check_login();

  [[nodiscard]] const std::string& registry() const { return registry_; }

 private:
  friend class BlobStream;
  Client(std::string registry, ClientOptions options)
      : registry_(std::move(registry)), options_(std::move(options)), http_(options_.http) {}

  Attempt<void> ping(const std::string& scheme);
  // One GET below /v2/, with what the registry wants for it: follows redirects, logs in. Any status but 401.
  Attempt<std::unique_ptr<Response>> get(const std::string& path, const std::string& scope,
                                         const std::vector<std::pair<std::string, std::string>>& headers);
  Attempt<std::unique_ptr<Response>> follow(Request request, const std::string& authorization);
  Attempt<Document> try_manifest(const std::string& repository, const std::string& name);
  Attempt<std::string> try_small_blob(const std::string& repository, const oci::Descriptor& descriptor);
  RetryPlan new_plan();
  // Tries `action` until it succeeds or there is no hope.
  template <typename Action>
  auto persist(Action action) -> decltype(action());
  void wait(const Failure& failure, std::chrono::milliseconds delay);
  [[nodiscard]] Failure login_refused(Response& response) const;

  std::string registry_;
  ClientOptions options_;
  HttpClient http_;
  std::optional<Url> base_;  // "https://localhost:5000"
  std::unique_ptr<Authorizer> authorizer_;
  std::atomic<uint32_t> plans_{0};
};

// "repository:team/app:pull".
std::string pull_scope(const std::string& repository);

}  // namespace berth::registry
