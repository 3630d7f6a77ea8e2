#include "archive/move.hpp"

#include <map>
#include <utility>

#include "archive/queues.hpp"

namespace reclaim::archive {

Result<std::vector<Moved>> move_whole(ports::ObjectStore& store, std::span<const WholeMove> moves) {
  std::map<QueueId, std::vector<stored::Queue::Pointer>> entries;
  for (const WholeMove& move : moves) entries[move.to].push_back(summarize(move.id, move.at, move.after));
  std::map<QueueId, bool> takes;
  for (const auto& [queue, added] : entries) {
    const Status announced = announce(store, queue, added);
    takes[queue] = announced.ok();
    if (!announced.ok() && announced.error().kind != Error::Kind::kConflict) return announced.error();
  }
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
