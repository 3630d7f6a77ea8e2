#include "archive/store_text.hpp"

#include <google/protobuf/unknown_field_set.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "agents/records.hpp"
#include "archive/damaged.hpp"
#include "archive/objects.hpp"
#include "base/printable.hpp"
#include "base/time.hpp"
#include "base/utf8.hpp"
#include "stored/envelope.hpp"

namespace reclaim::archive {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Json = nlohmann::ordered_json;  // fields stay in the order of their declaration

constexpr std::size_t kShownBytesMax = 64;

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text.append(text.empty() ? "" : " ").append({kDigits[byte >> 4U], kDigits[byte & 15U]});
  }
  return text;
}

Json text_json(const std::string& bytes) { return is_utf8(bytes) ? bytes : "bytes " + hex(bytes); }

bool is_time(const FieldDescriptor& field) { return field.type() == FieldDescriptor::TYPE_INT64 && field.name().ends_with("_ms"); }

std::string key_of(const FieldDescriptor& field) { return is_time(field) ? field.name().substr(0, field.name().size() - 3) : field.name(); }

Json enum_json(const FieldDescriptor& field, int number) {
  const auto* known = field.enum_type()->FindValueByNumber(number);
  return known == nullptr ? Json(number) : Json(known->name());
}

Json message_json(const Message& message);

Json value_json(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: return reflection.GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_INT64: {
      const std::int64_t number = reflection.GetInt64(message, &field);
      return is_time(field) ? Json(to_rfc3339(WallTime{number})) : Json(number);
    }
    case FieldDescriptor::CPPTYPE_UINT32: return reflection.GetUInt32(message, &field);
    case FieldDescriptor::CPPTYPE_UINT64: return reflection.GetUInt64(message, &field);
    case FieldDescriptor::CPPTYPE_DOUBLE: return reflection.GetDouble(message, &field);
    case FieldDescriptor::CPPTYPE_FLOAT: return reflection.GetFloat(message, &field);
    case FieldDescriptor::CPPTYPE_BOOL: return reflection.GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM: return enum_json(field, reflection.GetEnumValue(message, &field));
    case FieldDescriptor::CPPTYPE_STRING: return text_json(reflection.GetString(message, &field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return reflection.HasField(message, &field) ? message_json(reflection.GetMessage(message, &field)) : Json();
  }
  return {};
}

// The lists that stored objects have: of messages, texts and numbers.
Json list_json(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  Json list = Json::array();
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      list.push_back(message_json(reflection.GetRepeatedMessage(message, &field, i)));
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      list.push_back(text_json(reflection.GetRepeatedString(message, &field, i)));
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32) {
      list.push_back(reflection.GetRepeatedUInt32(message, &field, i));
    }
  }
  return list;
}

Json message_json(const Message& message) {
  Json json = Json::object();
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    json[key_of(field)] = field.is_repeated() ? list_json(message, field) : value_json(message, field);
  }
  const google::protobuf::UnknownFieldSet& unknown = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i) json["unknown_fields"].push_back(unknown.field(i).number());
  return json;
}

template <class Decoded>
void show(const Result<Decoded>& decoded, Json& json) {
  if (decoded.ok()) {
    json["message"] = message_json(decoded.value());
  } else {
    json["damaged"] = decoded.error().message;
  }
}

void show(const Result<DecodedSegment>& decoded, Json& json) {
  if (!decoded.ok()) {
    json["damaged"] = decoded.error().message;
    return;
  }
  json["message"] = message_json(decoded.value().segment);
  for (const SetAside& each : decoded.value().set_aside) {
    json["set_aside"].push_back({{"ordinal", each.ordinal}, {"reason", each.reason}});
  }
}

// The message of an object that breaks the rules, as far as its bytes can be parsed at all.
template <class Stored>
void show_anyway(const std::string& name, std::string_view bytes, Json& json) {
  Stored message;
  if (json.contains("damaged") && reclaim::stored::open(name, kObjectsFormat, bytes, message).ok()) json["message"] = message_json(message);
}

template <class Id, class Decode>
void decode_into(Json& json, const Result<Id>& id, const Decode& decode) {
  if (id.ok()) {
    show(decode(id.value()), json);
  } else {
    json["damaged"] = id.error().message;
  }
}

Json object_json(const ports::ObjectName& name, const std::string& bytes);

// What was set aside is shown under the name that it had.
void show_damaged(const Result<DamagedId>& id, const std::string& bytes, Json& json) {
  if (!id.ok()) {
    json["damaged"] = id.error().message;
    return;
  }
  const Result<stored::Damaged> decoded = decode_damaged(id.value(), bytes);
  if (!decoded.ok()) {
    json["damaged"] = decoded.error().message;
    return;
  }
  json["message"] = {{"reason", text_json(decoded.value().reason())},
                     {"content", object_json(former_name(id.value()), decoded.value().content())}};
}

void show_bytes(const std::string& name, std::string_view kind, const std::string& bytes, Json& json) {
  if (kind == "queue") {
    decode_into(json, parse_queue_name(name), [&](const QueueId& id) { return decode_queue(id, bytes); });
    show_anyway<stored::Queue>(name, bytes, json);
  } else if (kind == "segment") {
    decode_into(json, parse_segment_name(name), [&](const SegmentId& id) { return decode_segment(id, bytes); });
    show_anyway<stored::Segment>(name, bytes, json);
  } else if (kind == "index") {
    decode_into(json, parse_index_name(name), [&](const SegmentId& origin) { return decode_index(origin, bytes); });
    show_anyway<stored::Index>(name, bytes, json);
  } else if (kind == "mount") {
    decode_into(json, parse_mount_name(name), [&](const Vid& vid) { return decode_mount(vid, bytes); });
    show_anyway<stored::Mount>(name, bytes, json);
  } else if (kind == "damaged") {
    show_damaged(parse_damaged(name), bytes, json);
  } else if (kind == agents::kAgentKind) {
    decode_into(json, agents::parse_agent(name), [&](const agents::AgentId& id) { return agents::decode_agent(id, bytes); });
  } else if (kind == agents::kBeatKind) {
    const std::string key = name.substr(kind.size() + 1);
    decode_into(json, agents::parse_agent_key(key), [&](const agents::AgentId& id) { return agents::decode_beat(id, bytes); });
  } else if (name == agents::root_name().str()) {
    show(agents::decode_root(bytes), json);
  } else {
    json["damaged"] = "this Reclaim knows no such object";
  }
}

Json object_json(const ports::ObjectName& name, const std::string& bytes) {
  Json json = {{"name", name.str()}, {"size", bytes.size()}};
  show_bytes(name.str(), name.kind, bytes, json);
  if (json.contains("damaged")) json["begins"] = hex(std::string_view(bytes).substr(0, kShownBytesMax));
  return json;
}

Json object_json(const ports::ObjectName& name, const ports::Object& object) {
  Json json = {{"name", name.str()}, {"version", object.version.number}};
  json.update(object_json(name, object.bytes));
  return json;
}

bool is_nothing(const Json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().empty();
  return value.is_null() || value == false || (value.is_structured() && value.empty());
}

std::string scalar(const Json& value) { return value.is_string() ? printable(value.get_ref<const std::string&>()) : value.dump(); }

void write_text(const Json& object, const std::string& indent, std::string& text);

void write_list(const Json& list, const std::string& indent, std::string& text) {
  for (const Json& item : list) {
    if (item.is_object()) {
      // The first field stands behind the dash, the others below it.
      std::string fields;
      write_text(item, indent + "    ", fields);
      if (!fields.empty()) text += indent + "  - " + fields.substr(indent.size() + 4);
    } else {
      text += indent + "  - " + scalar(item) + '\n';
    }
  }
}

void write_text(const Json& object, const std::string& indent, std::string& text) {
  for (const auto& [key, value] : object.items()) {
    if (is_nothing(value)) continue;
    text += indent + key + ':';
    if (value.is_array() && value.front().is_number()) {
      for (const Json& number : value) text += ' ' + number.dump();
      text += '\n';
    } else if (value.is_array()) {
      text += '\n';
      write_list(value, indent, text);
    } else if (value.is_object()) {
      text += '\n';
      write_text(value, indent + "  ", text);
    } else {
      text += ' ' + scalar(value) + '\n';
    }
  }
}

}  // namespace

std::string json_of(const ports::ObjectName& name, const ports::Object& object) {
  return object_json(name, object).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_of(const ports::ObjectName& name, const ports::Object& object) {
  std::string text;
  write_text(object_json(name, object), "", text);
  return text;
}

}  // namespace reclaim::archive
