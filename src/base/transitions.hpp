// State machines as tables. One constexpr array of {from, event, to} per kind of thing is the whole machine: the code asks it, the
// tests walk it and the documents print it, so there is no second place where a transition could be allowed.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace reclaim {

template <class State, class Event>
struct Transition {
  State from;
  Event event;
  State to;
};

template <class State, class Event>
constexpr std::optional<State> next_state(std::span<const Transition<State, Event>> table, State from, Event event) {
  for (const auto& row : table) {
    if (row.from == from && row.event == event) return row.to;
  }
  return std::nullopt;
}

// Deterministic: no state answers one event in two ways. For static_assert.
template <class State, class Event>
constexpr bool is_deterministic(std::span<const Transition<State, Event>> table) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    for (std::size_t j = i + 1; j < table.size(); ++j) {
      if (table[i].from == table[j].from && table[i].event == table[j].event) return false;
    }
  }
  return true;
}

// Alive: every state but `final` has a way out. For static_assert.
template <class State, class Event>
constexpr bool only_final_is_stuck(std::span<const Transition<State, Event>> table, std::span<const State> states, State final_state) {
  for (const State state : states) {
    bool can_leave = false;
    for (const auto& row : table) can_leave = can_leave || (row.from == state && row.to != state);
    if (can_leave == (state == final_state)) return false;
  }
  return true;
}

}  // namespace reclaim
