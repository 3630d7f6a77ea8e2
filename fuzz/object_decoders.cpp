// Objects in the store: any bytes under a name, and any message in a right envelope, which chance would not find.
#include "decoders.hpp"

#include <google/protobuf/stubs/logging.h>

#include "agents/records.hpp"
#include "archive/damaged.hpp"
#include "archive/objects.hpp"
#include "base/check.hpp"
#include "stored/envelope.hpp"

namespace reclaim::fuzz {
namespace {

using namespace archive;  // NOLINT(google-build-using-namespace): all of it is about that room

constexpr SegmentId kId{17, 1};
const QueueId kQueue{Vid("V00001"), QueueType::kToTransfer};
const agents::AgentId kAgent{"drive-1", 17};

// What was accepted is written, and read again as the same.
template <class Message, class Decode, class Encode>
void round(std::string_view bytes, const std::string& name, std::uint16_t format, Decode&& decode, Encode&& encode) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  const auto first = decode(reclaim::stored::seal(name, format, message));
  if (!first.ok()) return;
  const std::string written = encode(first.value());
  const auto second = decode(written);
  check(second.ok(), "an object that was accepted can be written and read again");
  check(encode(second.value()) == written, "and is the same then");
}

void segment(std::string_view bytes) {
  round<archive::stored::Segment>(
      bytes, object_name(kId).str(), kObjectsFormat, [](const std::string& sealed) { return decode_segment(kId, sealed); },
      [](const DecodedSegment& read) { return encode(kId, read.segment); });
}
void queue(std::string_view bytes) {
  round<archive::stored::Queue>(
      bytes, object_name(kQueue).str(), kObjectsFormat, [](const std::string& sealed) { return decode_queue(kQueue, sealed); },
      [](const archive::stored::Queue& read) { return encode(kQueue, read); });
}
void index(std::string_view bytes) {
  round<archive::stored::Index>(
      bytes, index_name(kId).str(), kObjectsFormat, [](const std::string& sealed) { return decode_index(kId, sealed); },
      [](const archive::stored::Index& read) { return encode(kId, read); });
}
void mount(std::string_view bytes) {
  round<archive::stored::Mount>(
      bytes, mount_name(kQueue.vid).str(), kObjectsFormat, [](const std::string& sealed) { return decode_mount(kQueue.vid, sealed); },
      [](const archive::stored::Mount& read) { return encode(kQueue.vid, read); });
}
void damaged(std::string_view bytes) {
  round<archive::stored::Damaged>(
      bytes, damaged_name(kId).str(), kObjectsFormat, [](const std::string& sealed) { return decode_damaged(kId, sealed); },
      [](const archive::stored::Damaged& read) { return encode(kId, read); });
}
void agent(std::string_view bytes) {
  round<agents::stored::Agent>(
      bytes, kAgent.str(), 1, [](const std::string& sealed) { return agents::decode_agent(kAgent, sealed); },
      [](const agents::stored::Agent& read) { return agents::encode(kAgent, read); });
}
void beat(std::string_view bytes) {
  round<agents::stored::Beat>(
      bytes, kAgent.beat().str(), 1, [](const std::string& sealed) { return agents::decode_beat(kAgent, sealed); },
      [](const agents::stored::Beat& read) { return agents::encode(kAgent, read); });
}
void root(std::string_view bytes) {
  round<agents::stored::Root>(
      bytes, agents::root_name().str(), 1, [](const std::string& sealed) { return agents::decode_root(sealed); },
      [](const agents::stored::Root& read) { return agents::encode(read); });
}

void envelope(std::string_view bytes) {
  (void)decode_segment(kId, bytes);
  (void)decode_queue(kQueue, bytes);
  (void)decode_index(kId, bytes);
  (void)decode_mount(kQueue.vid, bytes);
  (void)decode_damaged(kId, bytes);
  (void)agents::decode_agent(kAgent, bytes);
  (void)agents::decode_beat(kAgent, bytes);
  (void)agents::decode_root(bytes);
  (void)agents::owned_names(kAgent.object(), bytes);
  (void)reclaim::stored::is_newer(object_name(kId).str(), kObjectsFormat, bytes);
}

archive::stored::Segment sample_segment() {
  archive::stored::Segment sample;
  sample.set_owner(object_name(kQueue).str());
  sample.set_origin(object_name(kId).str());
  for (std::uint32_t ordinal = 1; ordinal <= 3; ++ordinal) {
    auto& request = *sample.add_requests();
    request.set_ordinal(ordinal);
    request.set_file("f" + std::to_string(ordinal));
    request.set_size(1000);
    request.set_checksum("adler32:0123abcd");
    request.set_destination("out/" + std::to_string(ordinal));
    request.set_round(1);
    for (const char* vid : {"V00001", "V00002"}) {
      auto& copy = *request.add_copies();
      copy.set_vid(vid);
      copy.set_fseq(ordinal);
    }
  }
  return sample;
}

std::vector<std::string> segments() { return {sample_segment().SerializeAsString()}; }

std::vector<std::string> queues() {
  archive::stored::Queue sample;
  auto& pointer = *sample.add_pointers();
  pointer.set_segment(object_name(kId).str());
  return {sample.SerializeAsString(), ""};
}

std::vector<std::string> mounts() {
  archive::stored::Mount sample;
  sample.set_drive("D1");
  sample.set_agent(kAgent.str());
  sample.set_since_ms(1'764'000'000'000);
  return {sample.SerializeAsString()};
}

std::vector<std::string> agents_of_all_kinds() {
  agents::stored::Agent sample;
  sample.set_kind("drive");
  sample.add_owned(object_name(kId).str());
  return {sample.SerializeAsString()};
}

std::vector<std::string> indexes() {
  archive::stored::Index sample;
  auto& place = *sample.add_places();
  place.set_segment(object_name(kId).str());
  return {sample.SerializeAsString()};
}

std::vector<std::string> nothing() { return {"", std::string(4, '\0'), std::string("\x08\x01", 2)}; }

std::vector<std::string> envelopes() {
  return {encode(kId, sample_segment()), encode(kQueue, archive::stored::Queue()), agents::encode(kAgent, agents::stored::Beat())};
}

// protobuf says of each text that is not UTF-8 that it is none.
[[maybe_unused]] google::protobuf::LogHandler* const kSilenced = google::protobuf::SetLogHandler(nullptr);

const Known kKnown{{"segment", segment, segments}, {"queue", queue, queues},      {"index", index, indexes},
                   {"mount", mount, mounts},       {"damaged", damaged, nothing}, {"agent", agent, agents_of_all_kinds},
                   {"beat", beat, nothing},        {"root", root, nothing},       {"envelope", envelope, envelopes}};

}  // namespace

}  // namespace reclaim::fuzz
