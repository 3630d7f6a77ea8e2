#include "apps/flag_text.hpp"

namespace reclaim::apps {

std::string text_of_flag_error(const Error& error) {
  if (error.kind != Error::Kind::kInvalid || error.field.empty()) return error.message;
  const std::string flag = error.field.starts_with("--") ? error.field : "--" + error.field;
  return error.message.starts_with(flag) ? error.message : flag + ": " + error.message;
}

}  // namespace reclaim::apps
