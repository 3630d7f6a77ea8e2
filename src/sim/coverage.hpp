// What crash runs have crossed: the calls to the store and to the database at which a fault has happened, and who made them.
//
// The decorators say so. When the process ends, it is written into the directory that $RECLAIM_CROSSED names, one file for each program,
// to be held against the calls that production code contains (tests/crash/coverage.py). Where that is not set, nothing is kept.
// One thread at a time.
#pragma once

#include <string_view>

namespace reclaim::sim {

// `port` is `store` or `database`, `call` what was called there: `read`, `commit`, a statement's name.
void note_crossing(std::string_view port, std::string_view call);

}  // namespace reclaim::sim
