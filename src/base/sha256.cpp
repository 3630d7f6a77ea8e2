#include "base/sha256.hpp"

#include <openssl/evp.h>

#include <array>

#include "base/check.hpp"

namespace reclaim {

void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  check(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1, "SHA-256 is there");
}

void Sha256::add(std::string_view bytes) {
  check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1, "SHA-256 takes any bytes");
}

std::string Sha256::hex() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  check(EVP_DigestFinal_ex(context_.get(), hash.data(), &size) == 1, "SHA-256 ends once");
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += kDigits[hash.at(i) >> 4U];
    text += kDigits[hash.at(i) & 15U];
  }
  return text;
}

}  // namespace reclaim
