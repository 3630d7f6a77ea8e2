#include "archive/locate.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "archive/objects.hpp"
#include "archive/places.hpp"

namespace reclaim::archive {
namespace {

using ports::ObjectName;
using Answer = Result<std::optional<Located>>;

constexpr std::size_t kReadAtOnce = 16;  // objects of up to megabytes each
constexpr int kLooksMax = 16;            // for what moves while it is looked for

// One request on its way to be found.
struct Sought {
  RequestId id;
  std::optional<ports::Version> index_at = {};  // as it was when this way was begun
  SegmentId at = {};                            // where the way has led; once looked at, where it ended
  bool is_looked_at = false;
  bool is_gone = false;  // what it led to
  std::optional<Answer> answer = {};
};
using Party = std::vector<Sought*>;

// A segment in which some of the party may be: they are there, or are sent on, or have come to an end.
void look_into(const SegmentId& id, SegmentReading reading, const Party& party) {
  if (!reading.segment.ok()) {
    for (Sought* each : party) each->answer = reading.segment.error();
    return;
  }
  std::shared_ptr<const SegmentAt> segment;
  if (reading.segment.value()) segment = std::make_shared<const SegmentAt>(std::move(*reading.segment.value()));
  for (Sought* each : party) {
    const auto place = segment ? place_in(segment->segment, each->id.ordinal) : std::nullopt;
    const auto next = segment ? forwarded_to(segment->segment, each->id.ordinal) : std::nullopt;
    if (place) each->answer = Answer(std::optional(Located{segment, *place}));
    each->at = next.value_or(id);
    each->is_looked_at = !next;
    each->is_gone = !segment;
  }
}

Result<stored::Index> index_in(const SegmentId& origin, const ports::StoreAnswer& answer) {
  if (answer.ok()) return decode_index(origin, answer.value().bytes);
  if (answer.error().kind == Error::Kind::kNotFound) return stored::Index();
  return answer.error();
}

// The first step of those of one origin. Where the index says something of a request, it counts more than what the origin says, readable or
// not: only what the origin holds itself has never been split off.
void begin_at(const SegmentId& origin, ports::StoreAnswer segment, const ports::StoreAnswer& index, const Party& party) {
  look_into(origin, reading_of(origin, std::move(segment)), party);
  const Result<stored::Index> places = index_in(origin, index);
  for (Sought* each : party) {
    const bool is_found = each->answer && each->answer->ok();
    if (is_found) continue;
    if (!places.ok()) {
      each->answer = places.error();
      continue;
    }
    if (index.ok()) each->index_at = index.value().version;
    const auto place = place_of(places.value(), each->id.ordinal);
    if (!place) continue;
    each->answer.reset();
    each->at = *place;
    each->is_looked_at = false;
  }
}

class Search {
 public:
  Search(ports::ObjectStore& store, std::span<const RequestId> ids) : store_(store) {
    sought_.reserve(ids.size());
    for (const RequestId& id : ids) sought_.push_back({.id = id});
  }

  std::vector<Answer> run() {
    Party party;
    party.reserve(sought_.size());
    for (Sought& each : sought_) party.push_back(&each);
    for (int look = 0; look < kLooksMax && !party.empty(); ++look) {
      begin(party);
      for (int step = 0; step < kStepsMax && go_on(party); ++step) {
      }
      party = judge(party);
    }
    std::vector<Answer> answers;
    answers.reserve(sought_.size());
    for (Sought& each : sought_) {
      answers.push_back(each.answer ? std::move(*each.answer) : unavailable(text_of(each.id) + " moves too fast to be found"));
    }
    return answers;
  }

 private:
  void begin(const Party& party) {
    std::map<SegmentId, Party> by_origin;
    for (Sought* each : party) {
      *each = Sought{.id = each->id};
      by_origin[each->id.origin].push_back(each);
    }
    for (auto from = by_origin.begin(); from != by_origin.end();) {
      std::vector<ports::StoreCall> calls;
      auto to = from;
      for (; to != by_origin.end() && calls.size() < 2 * kReadAtOnce; ++to) {
        calls.push_back(ports::read_call(object_name(to->first)));
        calls.push_back(ports::read_call(index_name(to->first)));
      }
      std::vector<ports::StoreAnswer> answers = store_.run(calls);
      for (std::size_t i = 0; from != to; ++from, i += 2) begin_at(from->first, std::move(answers[i]), answers[i + 1], from->second);
    }
  }

  // One step further along the forwarding; false when all have been found or come to an end.
  bool go_on(const Party& party) {
    std::map<SegmentId, Party> by_segment;
    for (Sought* each : party) {
      if (!each->answer && !each->is_looked_at) by_segment[each->at].push_back(each);
    }
    std::vector<SegmentId> ids;
    ids.reserve(by_segment.size());
    for (const auto& [id, some] : by_segment) ids.push_back(id);
    for_each_reading(store_, ids, kReadAtOnce,
                     [&](std::size_t i, SegmentReading reading) { look_into(ids[i], std::move(reading), by_segment[ids[i]]); });
    return !ids.empty();
  }

  // Those that are to be looked for again: the index has changed under way.
  Party judge(const Party& party) {
    std::set<ObjectName> names;
    for (const Sought* each : party) {
      if (each->answer) continue;
      names.insert(index_name(each->id.origin));
      if (each->is_gone) names.insert(damaged_name(each->at));
    }
    const auto versions = versions_of(names);
    Party again;
    for (Sought* each : party) {
      if (each->answer) continue;
      const auto& index = versions.at(index_name(each->id.origin));
      if (!index.ok()) {
        each->answer = index.error();
      } else if (!each->is_looked_at || index.value() != each->index_at) {
        again.push_back(each);
      } else {
        each->answer = ended(*each, versions);
      }
    }
    return again;
  }

  using Versions = std::map<ObjectName, Result<std::optional<ports::Version>>>;

  static Answer ended(const Sought& sought, const Versions& versions) {
    if (!sought.is_gone) return std::optional<Located>();
    const ObjectName damaged = damaged_name(sought.at);
    if (!TRY(versions.at(damaged))) return std::optional<Located>();
    return corrupt(object_name(sought.at).str() + ", which led to " + text_of(sought.id) + " or held it, was set aside as " +
                   damaged.str());
  }

  Versions versions_of(const std::set<ObjectName>& names) {
    Versions versions;
    std::vector<ports::StoreCall> calls;
    const auto read = [&] {
      const std::vector<ports::StoreAnswer> answers = store_.run(calls);
      for (std::size_t i = 0; i < answers.size(); ++i) {
        const bool is_gone = !answers[i].ok() && answers[i].error().kind == Error::Kind::kNotFound;
        Result<std::optional<ports::Version>> version = std::optional<ports::Version>();
        if (answers[i].ok()) version = std::optional(answers[i].value().version);
        if (!answers[i].ok() && !is_gone) version = answers[i].error();
        versions.insert_or_assign(calls[i].name, std::move(version));
      }
      calls.clear();
    };
    for (const ObjectName& name : names) {
      calls.push_back(ports::read_call(name));
      if (calls.size() == kReadAtOnce) read();
    }
    if (!calls.empty()) read();
    return versions;
  }

  ports::ObjectStore& store_;
  std::vector<Sought> sought_;
};

}  // namespace

std::vector<Result<std::optional<Located>>> locate_all(ports::ObjectStore& store, std::span<const RequestId> ids) {
  if (ids.size() > kLocateMax)
    return std::vector<Answer>(ids.size(), too_large("more than " + std::to_string(kLocateMax) + " requests at once"));
  return Search(store, ids).run();
}

Result<std::optional<Located>> locate(ports::ObjectStore& store, const RequestId& id) {
  return std::move(locate_all(store, std::span(&id, 1)).front());
}

}  // namespace reclaim::archive
