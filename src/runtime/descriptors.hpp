// File descriptors are one supply for the whole process. Every door leaves a part of it, so that no crowd at one of them can take
// away what the database and the files need, and workers in their thousands cannot lock the operator out.
//
// Who may call: any thread.
#pragma once

#include <cstddef>

namespace reclaim::runtime {

// How many descriptors this process may open: now, since an operator may change it while it runs.
std::size_t descriptor_limit();

// Whether `newest`, which was just opened, leaves that part of the limit (and no more than 512) to others. Its number tells: the
// kernel gives out the lowest one that is free.
bool leaves_descriptors(int newest, std::size_t percent);

// What each door leaves. Later ones find room where earlier ones no longer do.
inline constexpr std::size_t kLeftByWorkers = 25;
inline constexpr std::size_t kLeftByApi = 12;
inline constexpr std::size_t kLeftByMetrics = 6;

}  // namespace reclaim::runtime
