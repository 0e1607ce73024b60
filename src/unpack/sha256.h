// SHA-256, streaming.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

struct evp_md_ctx_st;

namespace berth::unpack {

class Sha256 {
 public:
  Sha256();
  void update(std::span<const std::byte> data);
  // "sha256:<64 hex digits>". The object is of no more use.
  std::string digest();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

std::string sha256_digest(std::string_view data);

}  // namespace berth::unpack
