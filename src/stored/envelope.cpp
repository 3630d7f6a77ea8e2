#include "stored/envelope.hpp"

#include <xxhash.h>

#include <array>
#include <cstddef>

namespace reclaim::stored {

namespace {

constexpr std::string_view kMagic = "RCLM";
constexpr char kEnvelopeFormat = 1;
constexpr std::size_t kFormatAt = 6;
constexpr std::size_t kChecksumAt = 8;
constexpr std::size_t kMessageAt = 16;

template <class Number>
void append_little_endian(std::string& bytes, Number number) {
  for (std::size_t i = 0; i < sizeof(Number); ++i) bytes.push_back(static_cast<char>(static_cast<unsigned char>(number >> (8 * i))));
}

template <class Number>
Number read_little_endian(std::string_view bytes) {
  Number number = 0;
  for (std::size_t i = sizeof(Number); i-- > 0;) number = static_cast<Number>((number << 8U) | static_cast<unsigned char>(bytes[i]));
  return number;
}

std::uint64_t checksum(std::string_view name, std::uint16_t format, std::string_view message) {
  std::string before(name);
  before.push_back('\0');
  append_little_endian(before, format);
  return XXH3_64bits_withSeed(message.data(), message.size(), XXH3_64bits(before.data(), before.size()));
}

bool is_envelope(std::string_view bytes) { return bytes.size() >= kMessageAt && bytes.substr(0, kMagic.size()) == kMagic; }

bool has_known_format(std::string_view bytes) { return bytes[kMagic.size()] == kEnvelopeFormat && bytes[kMagic.size() + 1] == '\0'; }

std::uint16_t format_of(std::string_view bytes) { return read_little_endian<std::uint16_t>(bytes.substr(kFormatAt)); }

bool has_right_checksum(std::string_view name, std::string_view bytes) {
  return read_little_endian<std::uint64_t>(bytes.substr(kChecksumAt)) == checksum(name, format_of(bytes), bytes.substr(kMessageAt));
}

Error damaged(std::string_view name, const std::string& how) { return corrupt("object " + std::string(name) + ": " + how); }

}  // namespace

std::string seal(std::string_view name, std::uint16_t format, const google::protobuf::MessageLite& message) {
  const std::string body = message.SerializeAsString();
  std::string bytes(kMagic);
  bytes.reserve(kMessageAt + body.size());
  bytes.push_back(kEnvelopeFormat);
  bytes.push_back('\0');
  append_little_endian(bytes, format);
  append_little_endian(bytes, checksum(name, format, body));
  return bytes + body;
}

Status open(std::string_view name, std::uint16_t format, std::string_view bytes, google::protobuf::MessageLite& message) {
  if (!is_envelope(bytes)) return damaged(name, "not an object of Reclaim's, or cut off");
  if (!has_known_format(bytes)) return damaged(name, "its envelope has an unknown format");
  if (!has_right_checksum(name, bytes)) {
    return damaged(name, "its checksum does not fit: bytes are damaged, missing, or of another object");
  }
  const std::uint16_t found = format_of(bytes);
  if (found == 0 || found > format) {
    return damaged(name, "written in format " + std::to_string(found) + ", this Reclaim reads up to " + std::to_string(format));
  }
  const std::string_view body = bytes.substr(kMessageAt);
  if (!message.ParseFromArray(body.data(), static_cast<int>(body.size()))) return damaged(name, "its message cannot be read");
  return done();
}

bool is_newer(std::string_view name, std::uint16_t format, std::string_view bytes) {
  return is_envelope(bytes) && has_known_format(bytes) && has_right_checksum(name, bytes) && format_of(bytes) > format;
}

}  // namespace reclaim::stored
