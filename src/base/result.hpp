// A value, or the reason there is none.
//
// Errors are values here: a function that can fail returns Result<T> (or Status when there is nothing to return), and the
// compiler refuses to let anybody drop one. Exceptions of other libraries stop inside the adapter that meets them.
// The kinds are few, and each says what the caller should do about it; the message says what happened and what a person can do.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.hpp"

namespace reclaim {

struct Error {
  enum class Kind {
    kNotFound,         // it is not there; asking again changes nothing
    kConflict,         // it is there, in a state that refuses this; read again and decide again
    kFenced,           // somebody newer acts now; stop acting
    kContended,        // nothing happened because others were at it; run the whole transaction again
    kUnavailable,      // it may or may not have happened; ask what is true before trying again
    kCorrupt,          // stored or received bytes are not what they should be; set aside and tell a person
    kInvalid,          // the request is wrong; `field` names the part
    kUnparsable,       // the request cannot even be read
    kTooLarge,         // over a limit that the message names
    kForbidden,        // known caller, not allowed
    kUnauthenticated,  // unknown caller
  };
  Kind kind;
  std::string message;
  std::string field = {};  // for kInvalid: the path of the wrong part; for kFenced: what fenced (`sequence`, `session`, `lineage`, `epoch`)
};

std::string_view name_of(Error::Kind kind);

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor): `return value;`
  Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor): `return error;`

  bool ok() const { return held_.index() == 0; }
  T& value() & { return check(ok(), "value() of a failed Result"), std::get<0>(held_); }
  const T& value() const& { return check(ok(), "value() of a failed Result"), std::get<0>(held_); }
  T value() && { return check(ok(), "value() of a failed Result"), std::get<0>(std::move(held_)); }
  const Error& error() const { return check(!ok(), "error() of a successful Result"), std::get<1>(held_); }

 private:
  std::variant<T, Error> held_;
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor): `return error;`

  bool ok() const { return !error_.has_value(); }
  void value() const { check(ok(), "value() of a failed Status"); }
  const Error& error() const { return check(!ok(), "error() of a successful Status"), *error_; }

 private:
  std::optional<Error> error_;
};

inline Status done() { return {}; }

inline Error not_found(std::string message) { return {Error::Kind::kNotFound, std::move(message)}; }
inline Error conflict(std::string message) { return {Error::Kind::kConflict, std::move(message)}; }
inline Error fenced(std::string message, std::string by) { return {Error::Kind::kFenced, std::move(message), std::move(by)}; }
inline Error contended(std::string message) { return {Error::Kind::kContended, std::move(message)}; }
inline Error unavailable(std::string message) { return {Error::Kind::kUnavailable, std::move(message)}; }
inline Error corrupt(std::string message) { return {Error::Kind::kCorrupt, std::move(message)}; }
inline Error invalid(std::string field, std::string message) { return {Error::Kind::kInvalid, std::move(message), std::move(field)}; }
inline Error unparsable(std::string message) { return {Error::Kind::kUnparsable, std::move(message)}; }
inline Error too_large(std::string message) { return {Error::Kind::kTooLarge, std::move(message)}; }
inline Error forbidden(std::string message) { return {Error::Kind::kForbidden, std::move(message)}; }
inline Error unauthenticated(std::string message) { return {Error::Kind::kUnauthenticated, std::move(message)}; }

}  // namespace reclaim

// `auto rows = TRY(read());` is the value, or returns the error to the caller. Works for Result and Status alike.
#define TRY(expression)                                       \
  __extension__({                                             \
    auto&& try_result_ = (expression);                        \
    if (!try_result_.ok()) return try_result_.error();        \
    std::forward<decltype(try_result_)>(try_result_).value(); \
  })
