// The catalogue as the API shows it (docs/openapi.yaml has the same shapes), and what its requests have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "archive/files.hpp"
#include "archive/names.hpp"
#include "archive/policies.hpp"
#include "archive/tapes.hpp"
#include "http/encode.hpp"
#include "http/routes.hpp"
#include "wire/json.hpp"

namespace reclaim::http {

// What the store says of a tape. Nothing where it does not answer.
struct TapeInStore {
  std::optional<std::uint64_t> requests = {};  // that wait on it
  std::optional<std::string> mounted_by = {};  // the drive; nothing, too, where it is in none
};
Answered encode(const archive::Tape& tape, const TapeInStore& in_store);
Answered encode(const archive::File& file);
Answered encode(const archive::Policy& policy);

archive::Context archive_context_of(const ApiParts& parts, const Request& request);

// A name in a path. One that cannot exist is absent (404).
template <class Name>
Result<Name> name_in_path(const Request& request, const char* noun) {
  Result<Name> name = archive::parse_name<Name>(request.parameters.at(0), noun);
  if (!name.ok()) return not_found(std::string("no such ") + noun);
  return name;
}

// A name that a body must have; the reader fails without.
template <class Name>
Name required_name(wire::ObjectReader& reader, const char* key) {
  const std::string text = reader.required_text(key);
  if (!reader.ok()) return {};
  Result<Name> name = archive::parse_name<Name>(text, reader.path_of(key));
  if (name.ok()) return std::move(name).value();
  reader.fail(name.error());
  return {};
}

}  // namespace reclaim::http
