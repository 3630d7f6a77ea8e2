#include "wire/json.hpp"

#include <cstring>
#include <utility>

namespace reclaim::wire {
namespace {

constexpr std::size_t kShownKeyMax = 128;  // a stranger's key goes into an error message no longer than this

// Builds the tree as the lexer goes, and stops at the first duplicate key or too deep a nesting. Pointers on the stack stay valid: an
// object's members do not move, and an array grows only when none of its elements is open.
class TreeBuilder final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t&) override { return put(value); }
  bool string(string_t& value) override { return put(std::as_const(value)); }
  bool binary(binary_t&) override { return refuse("binary values are not JSON"); }
  bool start_object(std::size_t) override { return open(Json::value_t::object); }
  bool start_array(std::size_t) override { return open(Json::value_t::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    const auto [member, is_new] = open_.back()->emplace(name, nullptr);
    member_ = &*member;
    return is_new || refuse("the key '" + name.substr(0, kShownKeyMax) + "' is there twice");
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return refuse("not a JSON text in UTF-8: wrong at byte " + std::to_string(position));
  }

  Result<Json> result(bool parsed) {
    if (!parsed) return unparsable(std::move(why_));
    return std::move(root_);
  }

 private:
  bool refuse(std::string why) { return why_ = std::move(why), false; }

  template <class T>
  Json* add(T&& value) {
    if (open_.empty()) return root_ = std::forward<T>(value), &root_;
    if (open_.back()->is_array()) return &open_.back()->emplace_back(std::forward<T>(value));
    return *member_ = std::forward<T>(value), member_;
  }

  template <class T>
  bool put(T&& value) {
    add(std::forward<T>(value));
    return true;
  }

  bool open(Json::value_t type) {
    if (open_.size() >= kDepthMax) return refuse("nested deeper than " + std::to_string(kDepthMax));
    open_.push_back(add(Json(type)));
    return true;
  }

  bool close() { return open_.pop_back(), true; }

  Json root_;
  std::vector<Json*> open_;
  Json* member_ = nullptr;
  std::string why_;
};

}  // namespace

Result<Json> parse_json(std::string_view text) {
  // The lexer takes a zero byte for the end of the text and would not see what follows.
  if (text.find('\0') != std::string_view::npos) return unparsable("not a JSON text in UTF-8: holds a zero byte");
  TreeBuilder builder;
  const bool parsed = Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.result(parsed);
}

std::string to_text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

ObjectReader::ObjectReader(const Json& json, std::string path) : json_(&json), path_(std::move(path)) {
  if (!json.is_object()) fail(invalid(path_.empty() ? "body" : path_, "must be an object"));
}

const Json* ObjectReader::find(const char* key) {
  if (!json_->is_object()) return nullptr;
  known_.insert(key);
  const auto found = json_->find(key);
  return found == json_->end() || found->is_null() || !ok() ? nullptr : &*found;
}

std::optional<std::string> ObjectReader::text(const char* key, std::size_t length_max) {
  const Json* found = find(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_string()) return fail(invalid(path_of(key), "must be a string")), std::nullopt;
  const auto& value = found->get_ref<const std::string&>();
  if (value.size() > length_max) return fail(invalid(path_of(key), "longer than " + std::to_string(length_max) + " bytes")), std::nullopt;
  // No SQL engine can be relied on to keep one.
  if (value.find('\0') != std::string::npos) return fail(invalid(path_of(key), "holds a zero character")), std::nullopt;
  return value;
}

std::optional<std::int64_t> ObjectReader::integer(const char* key, std::int64_t min, std::int64_t max) {
  const Json* found = find(key);
  if (found == nullptr) return std::nullopt;
  const bool fits =
      found->is_number_integer() && (!found->is_number_unsigned() || std::in_range<std::int64_t>(found->get<std::uint64_t>()));
  const std::int64_t value = fits ? found->get<std::int64_t>() : 0;
  if (fits && value >= min && value <= max) return value;
  fail(invalid(path_of(key), "must be an integer from " + std::to_string(min) + " to " + std::to_string(max)));
  return std::nullopt;
}

std::optional<bool> ObjectReader::boolean(const char* key) {
  const Json* found = find(key);
  if (found == nullptr) return std::nullopt;
  if (found->is_boolean()) return found->get<bool>();
  return fail(invalid(path_of(key), "must be true or false")), std::nullopt;
}

const Json* ObjectReader::object(const char* key) {
  const Json* found = find(key);
  if (found == nullptr || found->is_object()) return found;
  return fail(invalid(path_of(key), "must be an object")), nullptr;
}

const Json* ObjectReader::array(const char* key, std::size_t count_max) {
  const Json* found = find(key);
  if (found == nullptr) return nullptr;
  if (!found->is_array()) return fail(invalid(path_of(key), "must be a list")), nullptr;
  if (found->size() > count_max) return fail(invalid(path_of(key), "holds more than " + std::to_string(count_max) + " items")), nullptr;
  return found;
}

std::vector<std::string> ObjectReader::texts(const char* key, std::size_t count_max, std::size_t length_max) {
  std::vector<std::string> items;
  const Json* found = array(key, count_max);
  if (found == nullptr) return items;
  items.reserve(found->size());
  for (const Json& item : *found) {
    const auto* value = item.get_ptr<const std::string*>();
    if (value == nullptr || value->size() > length_max || value->find('\0') != std::string::npos) {
      fail(invalid(path_of(key) + "[" + std::to_string(items.size()) + "]",
                   "must be a string of at most " + std::to_string(length_max) + " bytes, without zero characters"));
      return {};
    }
    items.push_back(*value);
  }
  return items;
}

std::string ObjectReader::required_text(const char* key, std::size_t length_max) {
  std::optional<std::string> value = text(key, length_max);
  if (!value) fail(invalid(path_of(key), "is required"));
  return std::move(value).value_or("");
}

std::int64_t ObjectReader::required_integer(const char* key, std::int64_t min, std::int64_t max) {
  const std::optional<std::int64_t> value = integer(key, min, max);
  if (!value) fail(invalid(path_of(key), "is required"));
  return value.value_or(0);
}

std::string ObjectReader::path_of(std::string_view key) const {
  std::string path = path_.empty() ? "" : path_ + ".";
  return path.append(key.substr(0, kShownKeyMax));
}

void ObjectReader::fail(Error error) {
  if (ok()) error_ = std::move(error);
}

Status ObjectReader::so_far() const {
  if (error_) return *error_;
  return done();
}

Status ObjectReader::finish() {
  TRY(so_far());
  for (const auto& member : json_->items()) {
    if (!known_.contains(member.key())) return invalid(path_of(member.key()), "unknown field");
  }
  return done();
}

}  // namespace reclaim::wire
