#include "agents/records.hpp"

#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include <functional>

#include "stored/envelope.hpp"

namespace reclaim::agents {
namespace {

const AgentId kId{.name = "drive-1", .epoch = 17};

stored::Agent agent_with(const std::function<void(stored::Agent&)>& change) {
  stored::Agent agent;
  agent.set_kind("drive");
  change(agent);
  return agent;
}

std::string why_not(const stored::Agent& agent) {
  const Result<stored::Agent> decoded = decode_agent(kId, encode(kId, agent));
  if (decoded.ok()) return "decoded";
  EXPECT_EQ(decoded.error().kind, Error::Kind::kCorrupt);
  return decoded.error().message;
}

TEST(AgentIds, AreReadExactlyAsTheyAreWritten) {
  EXPECT_EQ(kId.str(), "agent/drive-1@17");
  EXPECT_EQ(parse_agent("agent/drive-1@17").value(), kId);
  EXPECT_EQ(parse_agent_key("drive-1@18446744073709551615").value().epoch, 18446744073709551615U);
  for (const char* text :
       {"", "agent/", "agent/drive-1", "agent/@17", "agent/drive-1@", "agent/drive-1@0", "agent/drive-1@017", "agent/drive-1@+17",
        "agent/drive-1@17 ", "agent/drive-1@18446744073709551616", "agent/a@b@17", "agent/-a@17", "beat/drive-1@17", "drive-1@17"}) {
    EXPECT_FALSE(parse_agent(text).ok()) << text;
  }
}

TEST(AgentRecords, GiveBackWhatWasWritten) {
  const stored::Agent agent = agent_with([](stored::Agent& a) {
    set_owned(a, std::vector<ports::ObjectName>{{"queue", "V1.t"}, {"segment", "17-1"}});
    a.set_collector("agent/cleaner@18");
  });
  const Result<stored::Agent> decoded = decode_agent(kId, encode(kId, agent));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(decoded.value().collector(), "agent/cleaner@18");
  EXPECT_EQ(owned_by(decoded.value()), (std::vector<ports::ObjectName>{{"queue", "V1.t"}, {"segment", "17-1"}}));
}

TEST(AgentRecords, WhateverDoesNotFitIsRefusedWithItsReason) {
  EXPECT_NE(why_not(stored::Agent()).find("kind"), std::string::npos);
  EXPECT_NE(why_not(agent_with([](stored::Agent& a) { a.set_collector("cleaner@18"); })).find("collector"), std::string::npos);
  EXPECT_NE(why_not(agent_with([](stored::Agent& a) { a.set_collector(kId.str()); })).find("its own collector"), std::string::npos);
  EXPECT_NE(why_not(agent_with([](stored::Agent& a) { a.add_owned("segment"); })).find("whose name is none"), std::string::npos);
  EXPECT_NE(why_not(agent_with([](stored::Agent& a) {
              a.add_owned("segment/2");
              a.add_owned("segment/1");
            })).find("does not ascend at segment/1"),
            std::string::npos);
  EXPECT_NE(why_not(agent_with([](stored::Agent& a) {
              a.add_owned("segment/1");
              a.add_owned("segment/1");
            })).find("does not ascend"),
            std::string::npos);
  EXPECT_NE(why_not(agent_with([](stored::Agent& a) {
              for (std::size_t i = 0; i <= kOwnedMax; ++i) a.add_owned("segment/" + std::to_string(100'000 + i));
            })).find("the most is 10000"),
            std::string::npos);
}

TEST(AgentRecords, OfAnotherAgentOrDamagedAreRefused) {
  const std::string bytes = encode(kId, agent_with([](stored::Agent&) {}));
  EXPECT_FALSE(decode_agent({.name = "drive-1", .epoch = 18}, bytes).ok());
  EXPECT_FALSE(decode_agent(kId, bytes.substr(1)).ok());
  EXPECT_FALSE(decode_agent(kId, "").ok());
}

TEST(AgentRecords, FieldsOfANewerReclaimAreKept) {
  stored::Agent newer = agent_with([](stored::Agent&) {});
  stored::Agent::GetReflection()->MutableUnknownFields(&newer)->AddVarint(99, 5);
  stored::Agent older = decode_agent(kId, encode(kId, newer)).value();
  set_owned(older, std::vector<ports::ObjectName>{{"segment", "17-1"}});
  const stored::Agent again = decode_agent(kId, encode(kId, older)).value();
  EXPECT_EQ(stored::Agent::GetReflection()->GetUnknownFields(again).field_count(), 1);
}

TEST(BeatRecords, AStepLongerThanADayIsRefused) {
  stored::Beat beat;
  beat.set_limit_ms(static_cast<std::uint64_t>(kStepMax.count()));
  EXPECT_TRUE(decode_beat(kId, encode(kId, beat)).ok());
  beat.set_limit_ms(beat.limit_ms() + 1);
  EXPECT_FALSE(decode_beat(kId, encode(kId, beat)).ok());
}

TEST(RootRecords, OfANewerStoreOrWithoutNumbersAreRefused) {
  stored::Root root;
  EXPECT_FALSE(decode_root(encode(root)).ok());
  root.set_store_format(kStoreFormat);
  EXPECT_FALSE(decode_root(encode(root)).ok()) << "no epoch";
  root.set_next_epoch(1);
  EXPECT_TRUE(decode_root(encode(root)).ok());
  root.set_store_format(kStoreFormat + 1);
  EXPECT_EQ(decode_root(encode(root)).error().message,
            "object root/root: the store has format 2, this Reclaim knows up to 1: use the newer one");
}

TEST(OwnedNames, AreToldToWhoLooksFromOutside) {
  const std::string bytes = encode(kId, agent_with([](stored::Agent& a) { a.add_owned("segment/17-1"); }));
  EXPECT_EQ(owned_names(kId.object(), bytes).value(), (std::vector<ports::ObjectName>{{"segment", "17-1"}}));
  EXPECT_EQ(owned_names({"segment", "17-1"}, bytes).error().kind, Error::Kind::kInvalid);
  EXPECT_EQ(owned_names(kId.object(), bytes + "x").error().kind, Error::Kind::kCorrupt);
}

}  // namespace
}  // namespace reclaim::agents
