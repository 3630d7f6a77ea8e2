#include "adapters/objects_lmdb/layout.hpp"

namespace reclaim::objects_lmdb {
namespace {

constexpr std::string_view kStampMark = "RCLMOBJS";
constexpr std::string_view kObjectMark = "RCO1";

template <class Number>
void append(std::string& text, Number number) {
  for (std::size_t i = 0; i < sizeof number; ++i) text.push_back(static_cast<char>(static_cast<unsigned char>(number >> (8 * i))));
}

template <class Number>
Number number_at(std::string_view text, std::size_t begin) {
  Number number = 0;
  for (std::size_t i = sizeof number; i-- > 0;) number = (number << 8U) | static_cast<unsigned char>(text[begin + i]);
  return number;
}

}  // namespace

std::string encode(const Stamp& stamp) {
  std::string value(kStampMark);
  append(value, stamp.format);
  append(value, stamp.last_version);
  return value;
}

std::optional<Stamp> decode_stamp(std::string_view value) {
  const std::size_t format = kStampMark.size();
  const std::size_t last_version = format + sizeof(Stamp::format);
  if (!value.starts_with(kStampMark) || value.size() != last_version + sizeof(Stamp::last_version)) return std::nullopt;
  return Stamp{number_at<std::uint32_t>(value, format), number_at<std::uint64_t>(value, last_version)};
}

Status check_stamp(std::string_view value) {
  const std::optional<Stamp> stamp = decode_stamp(value);
  if (!stamp) return unreadable("itself");
  if (stamp->format <= kFormat) return done();
  return invalid(
      "", "was written by a newer program: its format is " + std::to_string(stamp->format) + ", this one knows " + std::to_string(kFormat));
}

Error unreadable(const std::string& what) { return corrupt("what the store keeps about " + what + " cannot be read"); }

std::string object_header(ports::Version version) {
  std::string header(kObjectMark);
  append(header, version.number);
  return header;
}

std::optional<ports::Version> decode_object_header(std::string_view value) {
  if (!value.starts_with(kObjectMark) || value.size() < kObjectHeaderBytes) return std::nullopt;
  const ports::Version version{number_at<std::uint64_t>(value, kObjectMark.size())};
  return version.number == 0 ? std::nullopt : std::optional(version);
}

}  // namespace reclaim::objects_lmdb
