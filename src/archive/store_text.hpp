// Any object of the store made readable, for `reclaim store show`: by name, version and size, then its message field by field.
//
// What was set aside is shown as the segment that it was. What is damaged is shown too: why, the first bytes in hexadecimal, and the
// message as far as it can be parsed. Nothing is ever refused, and nothing that is printed steers a terminal. Requests appear as every
// reader takes them (objects.hpp). Who may call: any thread.
#pragma once

#include <string>

#include "ports/object_store.hpp"

namespace reclaim::archive {

// {"name", "version", "size", "message": {...}, "set_aside": [{"ordinal", "reason"}], "damaged": why, "begins": hex}; what does not apply
// is left out. Fields of messages have the names of objects.proto; times are RFC 3339 and drop the `_ms`; of fields that a newer Reclaim
// added the numbers are listed under "unknown_fields".
std::string json_of(const ports::ObjectName& name, const ports::Object& object);
// The same for people, indented; fields without a value are left out.
std::string text_of(const ports::ObjectName& name, const ports::Object& object);

}  // namespace reclaim::archive
