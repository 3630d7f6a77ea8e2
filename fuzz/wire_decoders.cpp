// What workers, gateways and clients send.
#include "decoders.hpp"

#include <optional>

#include "base/check.hpp"
#include "gateway/exchange.hpp"
#include "gateway/frames.hpp"
#include "wire/json.hpp"
#include "wire/sync.hpp"

namespace reclaim::fuzz {
namespace {

constexpr const char* kFirst =
    R"({"session":"s1","incarnation":"i1","started":1,"as_of":0,"sequence":1,"containers":{"full":["c1","c2"]},"volumes":{"full":[]}})";
constexpr const char* kSame = R"({"sequence":8,"as_of":123456,"same":true})";

void json(std::string_view bytes) {
  const auto parsed = wire::parse_json(bytes);
  if (!parsed.ok()) return;
  const auto again = wire::parse_json(wire::to_text(parsed.value()));
  check(again.ok() && again.value() == parsed.value(), "JSON that was read can be written and read again");
}

void sync_request(std::string_view bytes) {
  const wire::Standing standing{.session = "s1", .incarnation = "i1", .started = 1};
  for (const wire::Standing* known : {static_cast<const wire::Standing*>(nullptr), &standing}) {
    const auto parsed = wire::parse_sync_request(bytes, known);
    if (!parsed.ok()) continue;
    const auto again = wire::parse_sync_request(wire::to_json(parsed.value()));
    check(again.ok() && again.value() == parsed.value(), "a sync that was read can be sent on");
  }
}

void sync_answer(std::string_view bytes) {
  const auto parsed = wire::parse_sync_answer(bytes);
  if (!parsed.ok()) return;
  const auto again = wire::parse_sync_answer(wire::to_json(parsed.value()));
  check(again.ok() && again.value() == parsed.value(), "an answer that was read can be sent on");
}

void frame(std::string_view bytes) {
  (void)gateway::parse_command(bytes);
  std::optional<wire::Standing> standing;
  (void)gateway::complete_frame(std::string(bytes), standing);
  standing.reset();
  (void)gateway::complete_frame(kFirst, standing);
  const auto completed = gateway::complete_frame(std::string(bytes), standing);
  if (completed.ok() && bytes != completed.value()) {
    check(wire::parse_sync_request(completed.value()).ok(), "a short frame is completed to a whole one, or refused");
  }
}

std::vector<std::string> syncs() {
  return {
      kFirst, kSame,
      R"({"session":"s1","incarnation":"i1","started":2,"as_of":17,"sequence":3,"answered":{"lineage":"l","session":"s0","sequence":2},)"
      R"("containers":{"base":{"count":2,"digest":"00000000000000000000000000000001"},"added":["c3"],"removed":["c1"]},)"
      R"("results":[{"kind":"container","handle":"c1","result":"failed","error":"EBUSY"}],"in_hand":{"containers":["c2"]},)"
      R"("disk":{"total":100,"free":10},"boot":"b","wait_ms":5000})"};
}

std::vector<std::string> answers() {
  return {
      R"({"sequence":3,"lineage":"l","replaces":[],"high_water":5,"destroy":{"containers":["c1"],"volumes":[]},"resync":["volume"],"next_sync_ms":30000})",
      R"({"sequence":3,"lineage":"l","high_water":5,"destroy":{},"next_sync_ms":0})"};
}

std::vector<std::string> texts() {
  return {R"({"a":[1,2.5,-3e8,"ü\n",null,true]})", "[[[[]]]]", R"({"a":1,"a":2})", "18446744073709551616"};
}

std::vector<std::string> frames() {
  std::vector<std::string> all = syncs();
  all.insert(all.end(), {"sync --follow", "heartbeat", "land", "retire", "status"});
  return all;
}

const Known kKnown{
    {"json", json, texts}, {"sync_request", sync_request, syncs}, {"sync_answer", sync_answer, answers}, {"frame", frame, frames}};

}  // namespace

}  // namespace reclaim::fuzz
