// HEALTHCHECK, the instruction of a Dockerfile.
#pragma once

#include <string_view>

#include "base/error.h"
#include "oci/image_config.h"

namespace berth::transfer {

// "[--interval=30s] [--timeout=10s] [--start-period=1m] [--retries=3] CMD command", where the command is for
// a shell or a JSON list, or "NONE". Code::usage for anything else.
Result<oci::Healthcheck> parse_healthcheck(std::string_view text);

}  // namespace berth::transfer
