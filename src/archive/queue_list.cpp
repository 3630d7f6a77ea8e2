#include "archive/queue_list.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "archive/tapes.hpp"

namespace reclaim::archive {
namespace {

constexpr std::size_t kBatch = 64;  // queues in memory at once: up to some megabytes each
constexpr std::string_view kQueueKind = "queue";

struct QueueRead {
  QueueId id;
  Result<stored::Queue> queue;  // not ok: kCorrupt
};

// Those of a batch that are there.
Result<std::vector<QueueRead>> read_batch(ports::ObjectStore& store, std::span<const QueueId> ids) {
  std::vector<ports::StoreCall> calls;
  calls.reserve(ids.size());
  for (const QueueId& id : ids) calls.push_back(ports::read_call(object_name(id)));
  std::vector<QueueRead> read;
  std::vector<ports::StoreAnswer> answers = store.run(calls);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const ports::StoreAnswer& answer = answers[i];
    if (answer.ok()) {
      read.push_back({ids[i], decode_queue(ids[i], answer.value().bytes)});
    } else if (answer.error().kind == Error::Kind::kCorrupt) {
      read.push_back({ids[i], answer.error()});
    } else if (answer.error().kind != Error::Kind::kNotFound) {
      return answer.error();
    }
  }
  return read;
}

// Hands the queues of `ids` that are there to `take`, batch by batch, until it answers that it has enough.
template <class Take>
Status read_each(ports::ObjectStore& store, std::span<const QueueId> ids, Take take) {
  for (std::size_t at = 0; at < ids.size(); at += kBatch) {
    std::vector<QueueRead> read = TRY(read_batch(store, ids.subspan(at, std::min(kBatch, ids.size() - at))));
    const bool goes_on = TRY(take(std::move(read)));
    if (!goes_on) break;
  }
  return done();
}

bool takes(const std::optional<TapeState>& state, Queueing (*queueing)(TapeState)) { return state && queueing(*state) != Queueing::kNever; }

bool is_due(const stored::Queue& queue, const std::optional<TapeState>& state) {
  if (state && is_pending(*state)) return true;
  return std::ranges::any_of(queue.pointers(), [&](const stored::Queue::Pointer& pointer) {
    return pointer.requests() > 0 && !takes(state, pointer.repack() ? queueing_of_repacks : queueing_of_users);
  });
}

// The names in a decoded queue are well formed.
std::optional<QueueCleanup::Cleaner> cleaner_of(const stored::Queue& queue) {
  if (!queue.has_reservation()) return std::nullopt;
  const stored::Queue::Reservation& reservation = queue.reservation();
  return QueueCleanup::Cleaner{.agent = agents::parse_agent(reservation.agent()).value(),
                               .since = {reservation.since_ms()},
                               .done = reservation.done(),
                               .left = reservation.left()};
}

using TapeStates = std::map<Vid, TapeState>;

Result<TapeStates> states_of(const Context& context, const std::vector<QueueRead>& read) {
  std::set<Vid> vids;
  for (const QueueRead& each : read) vids.insert(each.id.vid);
  TapeStates states;
  for (const Tape& tape : TRY(find_tapes(context, {vids.begin(), vids.end()}))) states.emplace(tape.spec.vid, tape.spec.state);
  return states;
}

ListedQueue listed(const QueueRead& read, const TapeStates& states) {
  if (!read.queue.ok()) return {.id = read.id, .figures = {}, .cleanup = {}, .problem = read.queue.error().message};
  const auto state = states.find(read.id.vid);
  return {.id = read.id,
          .figures = figures_of(read.queue.value()),
          .cleanup = cleanup_of(read.id, read.queue.value(), state == states.end() ? std::nullopt : std::optional(state->second))};
}

// Ids of queues behind a key, of at most `limit` objects; and the last key seen, where there may be more.
struct IdsPage {
  std::vector<QueueId> ids;
  std::optional<std::string> more_after;
};

// Objects whose names are no queue's are left out: the check of the store tells of those.
Result<IdsPage> list_ids(ports::ObjectStore& store, const std::string& after) {
  const std::vector<std::string> keys = TRY(store.list(std::string(kQueueKind), after, ports::kStoreListMax));
  IdsPage page;
  for (const std::string& key : keys) {
    const Result<QueueId> id = parse_queue_name(std::string(kQueueKind) + "/" + key);
    if (id.ok()) page.ids.push_back(id.value());
  }
  if (keys.size() == ports::kStoreListMax) page.more_after = keys.back();
  return page;
}

// The three queues of one tape, in the order of all lists.
IdsPage ids_of(const Vid& vid, const std::string& after) {
  IdsPage page;
  for (const QueueType type : kQueueTypes) page.ids.push_back({vid, type});
  const auto key_of = [](const QueueId& id) { return object_name(id).key; };
  std::ranges::sort(page.ids, {}, key_of);
  std::erase_if(page.ids, [&](const QueueId& id) { return key_of(id) <= after; });
  return page;
}

}  // namespace

QueueFigures figures_of(const stored::Queue& queue) {
  std::unordered_map<std::string_view, const stored::Queue::Pointer*> latest;
  for (const stored::Queue::Pointer& pointer : queue.pointers()) latest[pointer.segment()] = &pointer;
  QueueFigures figures;
  for (const auto& [segment, pointer] : latest) {
    if (pointer->requests() == 0) continue;
    figures.requests += pointer->requests();
    figures.bytes += pointer->bytes();
    if (!figures.oldest || pointer->oldest_ms() < figures.oldest->ms) figures.oldest = WallTime{pointer->oldest_ms()};
  }
  return figures;
}

std::optional<QueueCleanup> cleanup_of(const QueueId& id, const stored::Queue& queue, std::optional<TapeState> state) {
  QueueCleanup cleanup{.requested = false, .cleaner = cleaner_of(queue)};
  if (id.type == QueueType::kToTransfer) cleanup.requested = is_due(queue, state);
  // A to-report queue is only marked, by the cleaner of the same tape.
  if (id.type == QueueType::kToReport && cleanup.cleaner) cleanup.requested = !takes(state, queueing_of_users);
  if (!cleanup.requested && !cleanup.cleaner) return std::nullopt;
  return cleanup;
}

Result<std::vector<ListedQueue>> list_queues(const Context& context, ports::ObjectStore& store, const QueueFilter& filter,
                                             const std::string& after, std::size_t limit) {
  if (!after.empty() && !ports::is_well_formed({std::string(kQueueKind), after})) return invalid("after", "is the next of no page");
  std::vector<ListedQueue> queues;
  const auto take = [&](const std::vector<QueueRead>& read) -> Result<bool> {
    const TapeStates states = TRY(states_of(context, read));
    for (const QueueRead& each : read) {
      ListedQueue queue = listed(each, states);
      if (filter.cleanup && *filter.cleanup != queue.cleanup.has_value()) continue;
      if (queues.size() < limit) queues.push_back(std::move(queue));
    }
    return queues.size() < limit;
  };
  for (std::optional<std::string> from = after; from && queues.size() < limit;) {
    IdsPage page = filter.vid ? ids_of(*filter.vid, *from) : TRY(list_ids(store, *from));
    if (filter.type) std::erase_if(page.ids, [&](const QueueId& id) { return id.type != *filter.type; });
    TRY(read_each(store, page.ids, take));
    from = std::move(page.more_after);
  }
  return queues;
}

Result<std::map<Vid, std::uint64_t>> count_requests(ports::ObjectStore& store, std::span<const Vid> tapes) {
  std::map<Vid, std::uint64_t> counts;
  std::vector<QueueId> ids;
  for (const Vid& vid : tapes) {
    counts[vid] = 0;
    ids.push_back({vid, QueueType::kToTransfer});
    ids.push_back({vid, QueueType::kToReport});
  }
  TRY(read_each(store, ids, [&](const std::vector<QueueRead>& read) -> Result<bool> {
    for (const QueueRead& each : read) counts[each.id.vid] += each.queue.ok() ? figures_of(each.queue.value()).requests : 0;
    return true;
  }));
  return counts;
}

Result<RequestsByType> count_all_requests(ports::ObjectStore& store) {
  RequestsByType counts{};
  for (std::optional<std::string> from = ""; from;) {
    IdsPage page = TRY(list_ids(store, *from));
    TRY(read_each(store, page.ids, [&](const std::vector<QueueRead>& read) -> Result<bool> {
      for (const QueueRead& each : read) {
        if (each.queue.ok()) counts.at(static_cast<std::size_t>(each.id.type)) += figures_of(each.queue.value()).requests;
      }
      return true;
    }));
    from = std::move(page.more_after);
  }
  return counts;
}

}  // namespace reclaim::archive
