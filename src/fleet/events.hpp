// The audit trail (audit/events.hpp) as the fleet writes it: at the context's moment, by the context's actor.
#pragma once

#include <vector>

#include "audit/events.hpp"
#include "fleet/context.hpp"

namespace reclaim::fleet {

using audit::Event;
using audit::read_events;
using audit::RecordedEvent;

inline Status append_events(ports::Transaction& transaction, const Context& context, const std::vector<Event>& events) {
  return audit::append_events(transaction, context.moment.wall, context.actor, events);
}

}  // namespace reclaim::fleet
