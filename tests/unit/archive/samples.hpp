// Objects of the archive plane that keep every rule, to be broken in one place.
#pragma once

#include <initializer_list>
#include <string>

#include "archive/objects.hpp"

namespace reclaim::archive::samples {

inline stored::Request request(std::uint32_t ordinal, const std::string& vid = "V1", const std::string& other_vid = "V2") {
  stored::Request request;
  request.set_ordinal(ordinal);
  request.set_file("f" + std::to_string(ordinal));
  request.set_size(1000 + ordinal);
  request.set_checksum("adler32:0123abcd");
  request.set_destination("run 7/f" + std::to_string(ordinal));
  request.set_report_to("http://requester.example:8080/done");
  request.set_requester("alice");
  request.set_priority(-3);
  request.set_created_ms(1'764'000'000'000 + ordinal);
  request.set_round(1);
  request.mutable_attempts()->set_total(2);
  for (const std::string& each : {vid, other_vid}) {
    stored::Request::Copy& copy = *request.add_copies();
    copy.set_vid(each);
    copy.set_fseq(ordinal + 10);
  }
  return request;
}

inline stored::Segment segment(const std::string& owner, const SegmentId& origin, std::initializer_list<std::uint32_t> ordinals) {
  stored::Segment segment;
  segment.set_owner(owner);
  segment.set_origin(object_name(origin).str());
  for (const std::uint32_t ordinal : ordinals) *segment.add_requests() = request(ordinal);
  return segment;
}

inline void forward(stored::Segment& segment, const SegmentId& child, const std::string& queue,
                    std::initializer_list<std::uint32_t> ordinals) {
  stored::Segment::Forwarding& entry = *segment.add_forwarded();
  entry.set_child(object_name(child).str());
  entry.set_queue(queue);
  for (const std::uint32_t ordinal : ordinals) entry.add_ordinals(ordinal);
}

inline void place(stored::Index& index, const SegmentId& segment, std::initializer_list<std::uint32_t> ordinals) {
  stored::Index::Place& entry = *index.add_places();
  entry.set_segment(object_name(segment).str());
  for (const std::uint32_t ordinal : ordinals) entry.add_ordinals(ordinal);
}

}  // namespace reclaim::archive::samples
