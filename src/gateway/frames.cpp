#include "gateway/frames.hpp"

#include <limits>
#include <utility>

#include "wire/json.hpp"

namespace reclaim::gateway {
namespace {

// Reads the top level of a frame until it has seen who speaks, and stops there: a frame of 100,000 handles costs its first line.
// Whether the frame is right is the door's to say.
class StandingReader : public nlohmann::json_sax<wire::Json> {
 public:
  std::optional<wire::Standing> found() const {
    if (!session_ || !incarnation_ || !started_) return std::nullopt;
    return wire::Standing{*session_, *incarnation_, *started_};
  }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool number_integer(number_integer_t value) override {
    if (depth_ == 1 && key_ == "started") started_ = value;
    return !found();
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<number_integer_t>::max())) return false;
    return number_integer(static_cast<number_integer_t>(value));
  }
  bool string(string_t& value) override {
    if (depth_ == 1 && key_ == "session") session_ = value;
    if (depth_ == 1 && key_ == "incarnation") incarnation_ = value;
    return !found();
  }
  bool start_object(std::size_t) override { return ++depth_ <= wire::kDepthMax; }
  bool key(string_t& value) override {
    if (depth_ == 1) key_ = value;
    return true;
  }
  bool end_object() override { return --depth_ > 0; }
  bool start_array(std::size_t) override { return ++depth_ <= wire::kDepthMax; }
  bool end_array() override { return --depth_ > 0; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  int depth_ = 0;
  std::string key_;
  std::optional<std::string> session_;
  std::optional<std::string> incarnation_;
  std::optional<std::int64_t> started_;
};

}  // namespace

Result<std::string> complete_frame(std::string frame, std::optional<wire::Standing>& standing) {
  StandingReader reader;
  wire::Json::sax_parse(frame, &reader);
  if (auto found = reader.found()) {
    standing = std::move(found);
    return frame;
  }
  const wire::SyncRequest request = TRY(wire::parse_sync_request(frame, standing ? &*standing : nullptr));
  return wire::to_json(request);
}

}  // namespace reclaim::gateway
