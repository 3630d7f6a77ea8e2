#include "apps/process_name.hpp"

#include <unistd.h>

#include <array>

namespace reclaim::apps {
namespace {

constexpr std::size_t kHostMax = 64;

bool fits(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'; }

std::string host_name() {
  std::array<char, kHostMax + 1> name{};
  if (::gethostname(name.data(), kHostMax) != 0) return "host";
  std::string host = name.data();
  for (char& c : host) c = fits(c) ? c : '-';
  return host;
}

}  // namespace

std::string process_name(const std::string& role) { return role + '-' + host_name() + '-' + std::to_string(::getpid()); }

}  // namespace reclaim::apps
