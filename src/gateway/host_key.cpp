#include "gateway/host_key.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace reclaim::gateway {
namespace {

namespace fs = std::filesystem;

Error file_error(const char* doing, const fs::path& path) {
  return unavailable(std::string(doing) + " " + path.string() + ": " + std::strerror(errno));
}

std::string take(char* text) {
  std::string taken = text == nullptr ? "" : text;
  ssh_string_free_char(text);
  return taken;
}

// Written and synced under its own name beside `path`; the caller moves it there.
Result<fs::path> write_beside(const fs::path& path, std::string_view bytes, mode_t mode) {
  std::string name = path.string() + ".XXXXXX";
  const int fd = mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) return file_error("cannot write beside", path);
  const bool written =
      write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
  const Error error = file_error("cannot write", name);
  close(fd);
  if (written) return fs::path(name);
  unlink(name.c_str());
  return error;
}

Status sync_directory_of(const fs::path& path) {
  const fs::path directory = path.has_parent_path() ? path.parent_path() : ".";
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return file_error("cannot open", directory);
  const bool synced = fsync(fd) == 0;
  const Error error = file_error("cannot sync", directory);
  close(fd);
  return synced ? done() : Status(error);
}

Status make_host_key(const fs::path& path) {
  ssh_key made = nullptr;
  if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &made) != SSH_OK) return unavailable("cannot make a host key");
  const Key key(made);
  char* exported = nullptr;
  if (ssh_pki_export_privkey_base64(key.get(), nullptr, nullptr, nullptr, &exported) != SSH_OK)
    return unavailable("cannot write a host key");
  const fs::path beside = TRY(write_beside(path, take(exported), 0600));
  // A link does not replace: whoever else starts at this moment, one key wins and both use it.
  const bool linked = link(beside.c_str(), path.c_str()) == 0 || errno == EEXIST;
  const Error error = file_error("cannot make", path);
  unlink(beside.c_str());
  return linked ? sync_directory_of(path) : Status(error);
}

Status publish(const fs::path& path, ssh_key key) {
  const std::string line = text_of(key) + " reclaim\n";
  char present[1024] = {};
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const ssize_t got = fd < 0 ? 0 : read(fd, present, sizeof present);
  if (fd >= 0) close(fd);
  if (got > 0 && std::string_view(present, static_cast<std::size_t>(got)) == line) return done();
  const fs::path beside = TRY(write_beside(path, line, 0644));
  if (rename(beside.c_str(), path.c_str()) != 0) return file_error("cannot write", path);
  return sync_directory_of(path);
}

}  // namespace

Result<Key> load_or_make_host_key(const fs::path& path) {
  struct stat found = {};
  if (stat(path.c_str(), &found) != 0) {
    if (errno != ENOENT) return file_error("cannot read", path);
    TRY(make_host_key(path));
    if (stat(path.c_str(), &found) != 0) return file_error("cannot read", path);
  }
  if ((found.st_mode & 077) != 0) return invalid("host-key", path.string() + " can be read by others; chmod 600 it, or replace it");
  ssh_key loaded = nullptr;
  if (ssh_pki_import_privkey_file(path.c_str(), "", nullptr, nullptr, &loaded) != SSH_OK) {
    return invalid("host-key", path.string() + " is no private key without a passphrase");
  }
  Key key(loaded);
  if (text_of(key.get()).empty()) return invalid("host-key", path.string() + " is of a type that cannot serve; use ed25519, ecdsa or rsa");
  TRY(publish(path.string() + ".pub", key.get()));
  return key;
}

std::string text_of(ssh_key key) {
  const ssh_keytypes_e type = ssh_key_type(key);
  const bool usable = type == SSH_KEYTYPE_ED25519 || type == SSH_KEYTYPE_RSA || type == SSH_KEYTYPE_ECDSA_P256 ||
                      type == SSH_KEYTYPE_ECDSA_P384 || type == SSH_KEYTYPE_ECDSA_P521;
  char* base64 = nullptr;
  if (!usable || ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK) return {};
  return std::string(ssh_key_type_to_char(type)) + " " + take(base64);
}

std::string fingerprint_of(ssh_key key) {
  unsigned char* hash = nullptr;
  std::size_t length = 0;
  if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &length) != 0) return {};
  std::string text = take(ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, length));
  ssh_clean_pubkey_hash(&hash);
  return text;
}

}  // namespace reclaim::gateway
