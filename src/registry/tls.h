// The certificates for a host: /etc/containers/certs.d/HOST and /etc/docker/certs.d/HOST, or --cert-dir.
#pragma once

#include <string>

#include "base/error.h"

namespace berth::registry {

// In those directories NAME.crt is an authority to trust beside the system's, and NAME.cert with NAME.key is
// the client's certificate (containers-certs.d(5)).
struct Certificates {
  std::string authorities;  // PEM, all of them
  std::string client_certificate_path;
  std::string client_key_path;
};

// For `host_and_port` as it stands in a reference. `directory` is looked in instead of the usual places if it
// is not empty, and must exist then.
Result<Certificates> find_certificates(const std::string& host_and_port, const std::string& directory);

}  // namespace berth::registry
