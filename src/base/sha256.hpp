// SHA-256 of bytes that come piece by piece (FIPS 180-4): whether a file is the one that was written.
// Who may call: one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace reclaim {

class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  // 64 lowercase digits, of all that was added. Called once, last.
  std::string hex();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace reclaim
