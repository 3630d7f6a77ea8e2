// The host key: read, or made on first start.
#pragma once

#include <libssh/libssh.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.hpp"

namespace reclaim::gateway {

struct KeyDeleter {
  void operator()(ssh_key key) const { ssh_key_free(key); }
};
using Key = std::unique_ptr<ssh_key_struct, KeyDeleter>;

// Reads the private key at `path`; makes an ed25519 one (0600) where there is none, and `path`.pub (0644) when it is missing or of
// another key. Two that start at once end up with the same key. A crash leaves the key whole or not there.
// Errors: kInvalid for a key that others can read or that is none, kUnavailable for the rest.
Result<Key> load_or_make_host_key(const std::filesystem::path& path);

// `ssh-ed25519 AAAA...`: type and base64, no comment. Empty for a type that workers may not use (certificates, DSA, hardware keys).
std::string text_of(ssh_key key);
// `SHA256:...`, as ssh-keygen -l shows it.
std::string fingerprint_of(ssh_key key);

}  // namespace reclaim::gateway
