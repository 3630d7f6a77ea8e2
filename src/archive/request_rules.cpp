#include "archive/request_rules.hpp"

#include <algorithm>
#include <limits>

#include "archive/objects.hpp"
#include "base/printable.hpp"
#include "base/utf8.hpp"
#include "ports/report_sink.hpp"

namespace reclaim::archive {
namespace {

using stored::Request;

constexpr std::int64_t kYear10000 = 253'402'300'800'000;  // the first millisecond that RFC 3339 cannot write

bool is_line(std::string_view text) {
  const auto is_plain = [](char c) { return c >= ' ' && c <= '~'; };
  return std::ranges::all_of(text, is_plain) || (is_utf8(text) && printable(text) == text);
}

bool was_set_aside(const Request& request) { return !request.set_aside().empty(); }

// Empty: nothing is.
std::string wrong_with_line(std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) return "has " + std::to_string(text.size()) + " bytes, the most is " + std::to_string(bytes_max);
  return is_line(text) ? "" : "must be one line of UTF-8 without control characters";
}

std::string wrong_with_destination(std::string_view path) {
  std::string wrong = wrong_with_line(path, kDestinationBytesMax);
  if (!wrong.empty()) return wrong;
  for (;;) {
    const std::size_t slash = path.find('/');
    const std::string_view component = path.substr(0, slash);
    if (component.empty()) return "must be a relative path without empty components";
    if (component.front() == '.') return "must be a relative path of which no component begins with a dot";
    if (component.size() > kDestinationComponentMax)
      return "has a component of over " + std::to_string(kDestinationComponentMax) + " bytes";
    if (slash == std::string_view::npos) return "";
    path.remove_prefix(slash + 1);
  }
}

std::string wrong_with_copy(const Request::Copy& copy) {
  constexpr auto kFseqMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const Result<Vid> vid = parse_name<Vid>(copy.vid(), "vid");
  if (!vid.ok()) return "vid: " + vid.error().message;
  return copy.fseq() >= 1 && copy.fseq() <= kFseqMax ? "" : "fseq: must be 1 to " + std::to_string(kFseqMax);
}

std::string wrong_with_copies(const Request& request) {
  const auto count = static_cast<std::size_t>(request.copies_size());
  if (count == 0 && was_set_aside(request)) return "";
  if (count == 0 || count > kCopiesMax) return "has " + std::to_string(count) + ", it must be 1 to " + std::to_string(kCopiesMax);
  for (int i = 0; i < request.copies_size(); ++i) {
    const std::string wrong = wrong_with_copy(request.copies(i));
    if (!wrong.empty()) return "[" + std::to_string(i) + "]." + wrong;
  }
  return "";
}

// The active copy stays the same one if it can be read.
void keep_readable_copies(Request& request) {
  google::protobuf::RepeatedPtrField<Request::Copy> kept;
  std::uint32_t active = 0;
  for (int i = 0; i < request.copies_size() && static_cast<std::size_t>(kept.size()) < kCopiesMax; ++i) {
    if (!wrong_with_copy(request.copies(i)).empty()) continue;
    if (static_cast<std::uint32_t>(i) == request.active_copy()) active = static_cast<std::uint32_t>(kept.size());
    kept.Add(std::move(*request.mutable_copies(i)));
  }
  request.mutable_copies()->Swap(&kept);
  request.set_active_copy(active);
}

std::string wrong_with_errors(const Request& request) {
  if (request.errors_size() > kErrorsMax) {
    return "has " + std::to_string(request.errors_size()) + ", the most is " + std::to_string(kErrorsMax);
  }
  for (int i = 0; i < request.errors_size(); ++i) {
    const std::string wrong = wrong_with_line(request.errors(i), kErrorBytesMax);
    if (!wrong.empty()) return "[" + std::to_string(i) + "]: " + wrong;
  }
  return "";
}

void rewrite_errors(Request& request) {
  google::protobuf::RepeatedPtrField<std::string> errors;
  errors.Swap(request.mutable_errors());
  for (const std::string& error : errors) add_error(request, error);
}

std::string wrong_with_name(std::string_view text, bool may_be_empty) {
  if ((text.empty() && may_be_empty) || is_well_formed_name(text)) return "";
  return "must match [A-Za-z0-9][A-Za-z0-9._-]{0,127}";
}

// Whether the algorithm is one that can be computed is the drive's affair: a newer Reclaim may know more of them.
std::string wrong_with_checksum(const Request& request) {
  const std::string_view text = request.checksum();
  if (text.empty() && was_set_aside(request)) return "";
  const auto is_lower = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  const std::size_t colon = text.find(':');
  const bool is_one = text.size() <= kChecksumBytesMax && colon != std::string_view::npos && colon > 0 && colon + 1 < text.size() &&
                      std::ranges::all_of(text.substr(0, colon), is_lower) && std::ranges::all_of(text.substr(colon + 1), is_hex);
  return is_one ? "" : "must be ALGORITHM:HEX in lower case, of at most " + std::to_string(kChecksumBytesMax) + " bytes";
}

std::string wrong_with_time(std::int64_t ms) { return ms >= 0 && ms < kYear10000 ? "" : "is no time from 1970 to 9999"; }

std::string wrong_with_report_to(const Request& request) {
  if (request.report_to().empty()) return "";
  std::string wrong = wrong_with_line(request.report_to(), kReportToBytesMax);
  if (!wrong.empty()) return wrong;
  const Result<ports::ReportUrl> url = ports::parse_report_url(request.report_to());
  return url.ok() ? "" : url.error().message;
}

struct Rule {
  const char* field;
  std::string (*wrong)(const Request&);
  void (*put_right)(Request&);
};

constexpr Rule kRules[] = {
    {"file", [](const Request& r) { return wrong_with_name(r.file(), was_set_aside(r)); }, [](Request& r) { r.clear_file(); }},
    {"checksum", wrong_with_checksum, [](Request& r) { r.clear_checksum(); }},
    {"copies", wrong_with_copies, keep_readable_copies},
    {"active_copy",
     [](const Request& r) {
       const bool is_one = r.active_copy() < static_cast<std::uint32_t>(r.copies_size());
       return std::string(is_one || (r.copies_size() == 0 && r.active_copy() == 0) ? "" : "is none of the copies");
     },
     [](Request& r) { r.clear_active_copy(); }},
    {"requester", [](const Request& r) { return wrong_with_line(r.requester(), kRequesterBytesMax); },
     [](Request& r) { r.clear_requester(); }},
    {"destination",
     [](const Request& r) { return r.destination().empty() && was_set_aside(r) ? "" : wrong_with_destination(r.destination()); },
     [](Request& r) { r.clear_destination(); }},
    {"report_to", wrong_with_report_to, [](Request& r) { r.clear_report_to(); }},
    {"policy", [](const Request& r) { return wrong_with_name(r.policy(), true); }, [](Request& r) { r.clear_policy(); }},
    {"created_ms", [](const Request& r) { return wrong_with_time(r.created_ms()); }, [](Request& r) { r.clear_created_ms(); }},
    {"failed_ms", [](const Request& r) { return wrong_with_time(r.failed_ms()); }, [](Request& r) { r.clear_failed_ms(); }},
    {"kind", [](const Request& r) { return std::string(Request::Kind_IsValid(r.kind()) ? "" : "is unknown"); },
     [](Request& r) { r.clear_kind(); }},
    {"state",
     [](const Request& r) {
       if (!Request::State_IsValid(r.state())) return std::string("is unknown");
       return std::string(r.state() == Request::QUEUED && was_set_aside(r) ? "cannot be QUEUED of one that was set aside" : "");
     },
     [](Request& r) { r.set_state(Request::FAILED); }},
    {"errors", wrong_with_errors, rewrite_errors},
    {"set_aside", [](const Request& r) { return std::string(r.set_aside().size() <= kSetAsideBytesMax ? "" : "is too long"); },
     [](Request& r) { r.mutable_set_aside()->resize(kSetAsideBytesMax); }},
};

}  // namespace

Status check_request(const Request& request) {
  for (const Rule& rule : kRules) {
    std::string wrong = rule.wrong(request);
    if (wrong.empty()) continue;
    // A wrong element is named as part of the field.
    const std::size_t colon = wrong.front() == '[' ? wrong.find(": ") : std::string::npos;
    if (colon == std::string::npos) return invalid(rule.field, std::move(wrong));
    return invalid(rule.field + wrong.substr(0, colon), wrong.substr(colon + 2));
  }
  return done();
}

void set_aside(Request& request, const Error& why) {
  if (!was_set_aside(request)) request.set_set_aside(request.SerializeAsString().substr(0, kSetAsideBytesMax));
  for (const Rule& rule : kRules) {
    if (!rule.wrong(request).empty()) rule.put_right(request);
  }
  add_error(request, "not taken as a request: " + why.field + ": " + why.message);
}

void add_error(Request& request, std::string_view text) {
  auto& errors = *request.mutable_errors();
  if (errors.size() >= kErrorsMax) errors.DeleteSubrange(0, errors.size() - kErrorsMax + 1);
  errors.Add(printable(utf8_prefix(text, kErrorBytesMax)));
}

}  // namespace reclaim::archive
