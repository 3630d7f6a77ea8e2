// What must hold between objects of the store, rule by rule, over what is known of them (store_facts.hpp). For this room only.
//
// The same rules judge the whole store and, when something looks wrong, the few objects that it involves. What is unreadable is judged
// once, as that, and nothing that depends on it.
#pragma once

#include <optional>
#include <vector>

#include "archive/store_check.hpp"
#include "archive/store_facts.hpp"

namespace reclaim::archive {

// Whether its requests are requests: not those of a child whose split has not committed.
bool is_live(const Facts& facts, const SegmentId& id);
std::vector<Finding> judge(const Facts& facts);
// The finding again, by these facts, if they still show it.
std::optional<Finding> judge_again(const Facts& facts, const Finding& finding);
// What has to be known to judge it again: what it involves, the sources of children of splits among that, and the index that may count more
// than a record. Asked again with more facts it may name more; some may be absent.
std::vector<ports::ObjectName> neighbours(const Facts& facts, const Finding& finding);

}  // namespace reclaim::archive
