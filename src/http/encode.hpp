// Values of the fleet as the API shows them (docs/openapi.yaml has the same shapes). Fields that have no value are null.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "audit/events.hpp"
#include "fleet/explain.hpp"
#include "fleet/lineage.hpp"
#include "fleet/owners.hpp"
#include "fleet/resources.hpp"
#include "fleet/workers.hpp"
#include "server/access.hpp"
#include "server/control_plane.hpp"

namespace reclaim::http {

using Answered = nlohmann::ordered_json;  // fields stay in the order in which a reader wants them

Answered encode(const fleet::Worker& worker);
Answered encode(const fleet::Lineage& lineage);
Answered encode(const fleet::Owner& owner, WallTime now);
Answered encode(const fleet::Resource& resource);
Answered encode(const fleet::Explanation& explanation);
Answered encode(const audit::RecordedEvent& event);
Answered encode(const server::PassOutcome& outcome);
Answered encode(const server::Token& token);

std::string to_text(const Answered& json);  // compact; bytes that are not UTF-8 are replaced

}  // namespace reclaim::http
