#include "archive/figures.hpp"

#include <string>

namespace reclaim::archive {

bool set_figures(stored::Queue& queue, const SegmentAt& at) {
  const std::string segment = object_name(at.id).str();
  bool is_there = false;
  for (stored::Queue::Pointer& entry : *queue.mutable_pointers()) {
    if (entry.segment() != segment) continue;
    stored::Queue::Pointer figures = summarize(at.id, {entry.expects()}, at.segment);
    figures.set_not_before_ms(entry.not_before_ms());
    entry = std::move(figures);
    is_there = true;
  }
  return is_there;
}

Status write_figures(ports::ObjectStore& store, const QueueId& queue, const SegmentAt& at) {
  return edit_queue(store, queue,
                    [&](stored::Queue& now) -> Result<Edited> { return set_figures(now, at) ? Edited::kWrite : Edited::kNothing; });
}

}  // namespace reclaim::archive
