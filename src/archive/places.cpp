#include "archive/places.hpp"

#include <algorithm>
#include <utility>

namespace reclaim::archive {
namespace {

template <class Entry>
bool has(const Entry& entry, std::uint32_t ordinal) {
  return std::binary_search(entry.ordinals().begin(), entry.ordinals().end(), ordinal);
}

// Out of the lists of all entries, and entries that then have none.
template <class Entries>
bool drop(Entries& entries, std::span<const std::uint32_t> ordinals) {
  bool is_changed = false;
  for (auto& entry : entries) {
    auto& list = *entry.mutable_ordinals();
    const auto kept =
        std::remove_if(list.begin(), list.end(), [&](std::uint32_t each) { return std::ranges::binary_search(ordinals, each); });
    is_changed = is_changed || kept != list.end();
    list.erase(kept, list.end());
  }
  entries.erase(std::remove_if(entries.begin(), entries.end(), [](const auto& entry) { return entry.ordinals().empty(); }), entries.end());
  return is_changed;
}

}  // namespace

std::optional<int> place_in(const stored::Segment& segment, std::uint32_t ordinal) {
  const auto& requests = segment.requests();
  const auto found = std::lower_bound(requests.begin(), requests.end(), ordinal,
                                      [](const stored::Request& request, std::uint32_t wanted) { return request.ordinal() < wanted; });
  if (found == requests.end() || found->ordinal() != ordinal) return std::nullopt;
  return static_cast<int>(found - requests.begin());
}

std::optional<SegmentId> forwarded_to(const stored::Segment& segment, std::uint32_t ordinal) {
  for (const auto& entry : segment.forwarded()) {
    if (has(entry, ordinal)) return parse_segment_name(entry.child()).value();
  }
  return std::nullopt;
}

std::optional<SegmentId> place_of(const stored::Index& index, std::uint32_t ordinal) {
  for (const auto& place : index.places()) {
    if (has(place, ordinal)) return parse_segment_name(place.segment()).value();
  }
  return std::nullopt;
}

void put_place(stored::Index& index, std::uint32_t ordinal, const SegmentId& segment) {
  drop_places(index, std::span(&ordinal, 1));
  const std::string name = object_name(segment).str();
  auto& places = *index.mutable_places();
  auto place = std::find_if(places.begin(), places.end(), [&](const stored::Index::Place& each) { return each.segment() == name; });
  if (place == places.end()) {
    index.add_places()->set_segment(name);
    place = std::prev(places.end());
  }
  auto& ordinals = *place->mutable_ordinals();
  ordinals.Add(ordinal);
  std::rotate(std::upper_bound(ordinals.begin(), std::prev(ordinals.end()), ordinal), std::prev(ordinals.end()), ordinals.end());
}

bool drop_places(stored::Index& index, std::span<const std::uint32_t> ordinals) { return drop(*index.mutable_places(), ordinals); }

bool drop_forwarding(stored::Segment& segment, std::span<const std::uint32_t> ordinals) {
  return drop(*segment.mutable_forwarded(), ordinals);
}

void for_each_reading(ports::ObjectStore& store, std::span<const SegmentId> ids, std::size_t at_once,
                      const std::function<void(std::size_t, SegmentReading)>& visit) {
  for (std::size_t from = 0; from < ids.size(); from += at_once) {
    std::vector<SegmentReading> readings = read_each_segment(store, ids.subspan(from, std::min(at_once, ids.size() - from)));
    for (std::size_t i = 0; i < readings.size(); ++i) visit(from + i, std::move(readings[i]));
  }
}

}  // namespace reclaim::archive
