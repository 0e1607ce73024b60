// One instruction of a Dockerfile, applied to an image's configuration (--change of `berth import` and `berth
// commit`).
#pragma once

#include <string_view>

#include "base/error.h"
#include "oci/image_config.h"

namespace berth::transfer {

// CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR; "CMD=…" is
// taken as "CMD …". Code::usage for anything else.
Result<> apply_change(oci::ImageConfig& config, std::string_view instruction);

}  // namespace berth::transfer
