#include "archive/move.hpp"

#include <map>
#include <utility>

#include "archive/queues.hpp"

namespace reclaim::archive {

namespace {

// Whether each queue has taken the entries of what moves to it.
Result<std::map<QueueId, bool>> announce_moves(ports::ObjectStore& store, std::span<const WholeMove> moves) {
  std::map<QueueId, std::vector<stored::Queue::Pointer>> entries;
  for (const WholeMove& move : moves) {
    entries[move.to].push_back(summarize(move.id, move.at, move.after));
    entries[move.to].back().set_not_before_ms(move.not_before_ms);
  }
  std::vector<Announcement> announcements;
  announcements.reserve(entries.size());
  for (auto& [queue, added] : entries) announcements.push_back({queue, std::move(added)});
  const std::vector<Status> statuses = announce_all(store, announcements);
  std::map<QueueId, bool> takes;
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    if (!statuses[i].ok() && statuses[i].error().kind != Error::Kind::kConflict) return statuses[i].error();
    takes[announcements[i].to] = statuses[i].ok();
  }
  return takes;
}

}  // namespace

Result<std::vector<Moved>> move_whole(ports::ObjectStore& store, std::span<const WholeMove> moves) {
  std::map<QueueId, bool> takes = TRY(announce_moves(store, moves));
  std::vector<Moved> moved(moves.size(), Moved::kRefused);
  std::vector<ports::StoreCall> calls;
  std::vector<std::size_t> whose;
  for (std::size_t i = 0; i < moves.size(); ++i) {
    if (!takes[moves[i].to]) continue;
    calls.push_back(owner_write(moves[i].id, moves[i].at, moves[i].after, moves[i].to));
    whose.push_back(i);
  }
  const auto answers = run_in_batches(store, calls);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const WholeMove& move = moves[whose[i]];
    moved[whose[i]] = TRY(outcome_of(store, answers[i], move.id, move.at, move.to));
  }
  return moved;
}

}  // namespace reclaim::archive
