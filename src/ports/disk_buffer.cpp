#include "ports/disk_buffer.hpp"

#include "base/ids.hpp"

namespace reclaim::ports {
namespace {

constexpr std::string_view kAdler32 = "adler32:";
constexpr std::size_t kAdler32Digits = 8;

const char* wrong_with(std::string_view part) {
  if (part.empty()) return "is no relative path without empty components";
  if (part.front() == '.') return "has a component that begins with a dot";
  return part.size() > kDestinationPartMax ? "has a component that is too long" : nullptr;
}

Result<std::vector<std::string>> parts_of(const std::string& destination) {
  const auto wrong = [](const char* why) { return invalid("destination", std::string("destination ") + why); };
  if (destination.size() > kDestinationMax) return wrong("is too long");
  if (destination.find('\0') != std::string::npos) return wrong("holds a byte of 0");
  std::vector<std::string> parts;
  for (std::size_t from = 0, slash = 0; slash != std::string::npos; from = slash + 1) {
    slash = destination.find('/', from);
    parts.push_back(destination.substr(from, slash == std::string::npos ? slash : slash - from));
    const char* const why = wrong_with(parts.back());
    if (why != nullptr) return wrong(why);
  }
  return parts;
}

}  // namespace

Result<std::vector<std::string>> check_delivery(const Delivery& delivery) {
  if (!is_well_formed_name(delivery.writer)) return invalid("writer", "must match [A-Za-z0-9][A-Za-z0-9._-]{0,127}");
  const bool is_request = is_well_formed_name(delivery.request) && delivery.request.size() <= kDeliveryRequestMax;
  if (!is_request) return invalid("request", "must match [A-Za-z0-9][A-Za-z0-9._-]{0,63}");
  const bool is_known = delivery.checksum.starts_with(kAdler32) && delivery.checksum.size() == kAdler32.size() + kAdler32Digits;
  if (!is_known) return invalid("checksum", "checksum " + delivery.checksum + " is none that can be computed here: adler32 is");
  return parts_of(delivery.destination);
}

}  // namespace reclaim::ports
