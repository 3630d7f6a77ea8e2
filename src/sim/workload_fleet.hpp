// The fleet by a seed: clients, one server after the other, three workers, an operator, and a network between them.
//
// Asked for, by name: F1 and C1 and F4 all along; F3 with every sync that arrives; F5 while destroys hang; F2 and F3 at rest.
#pragma once

#include <memory>

#include "sim/swarm.hpp"

namespace reclaim::sim {

std::unique_ptr<Workload> make_fleet_workload(Run& run);

}  // namespace reclaim::sim
