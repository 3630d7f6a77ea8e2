// Drives in the catalogue.
#include "archive/drives.hpp"

#include "contract/archive/engines.hpp"

namespace reclaim::test {
namespace {

using archive::Desired;
using archive::Drive;
using archive::DriveName;
using Strings = std::vector<std::string>;

class Drives : public CatalogueTest {
 protected:
  // The events after number `after`, in words: `drive-state D1 up>down (why)`.
  Strings events(std::int64_t after) {
    Strings told;
    for (const audit::RecordedEvent& recorded : must(audit::read_events(catalogue.database(), after, 100))) {
      const audit::Event& event = recorded.event;
      told.push_back(event.action + " " + event.drive + " " + event.from + ">" + event.to + " (" + event.reason + ")");
    }
    return told;
  }
};

TEST_P(Drives, ADriveThatRegistersIsUpAndOneThatComesBackIsAsItsOperatorWantsIt) {
  const std::int64_t before = catalogue.last_event();
  const archive::Outcome<Drive> made = must(archive::register_drive(catalogue.context(), DriveName("D1")));
  EXPECT_TRUE(made.created);
  EXPECT_EQ(made.value.desired, Desired::kUp);
  must(archive::set_drive(catalogue.context(), DriveName("D1"), Desired::kDown, "head cleaning"));
  const archive::Outcome<Drive> again = must(archive::register_drive(catalogue.context(), DriveName("D1")));
  EXPECT_FALSE(again.created);
  EXPECT_EQ(again.value.desired, Desired::kDown);
  EXPECT_EQ(again.value.reason, "head cleaning");
  EXPECT_EQ(events(before), (Strings{"drive-registered D1 >up ()", "drive-state D1 up>down (head cleaning)"}));
}

TEST_P(Drives, WhatIsDesiredAlreadyChangesTheReasonOnly) {
  const Drive made = must(archive::register_drive(catalogue.context(), DriveName("D1"))).value;
  const std::int64_t before = catalogue.last_event();
  catalogue.wall = catalogue.wall + Millis(5000);
  EXPECT_EQ(must(archive::set_drive(catalogue.context(), DriveName("D1"), Desired::kUp, "new head")).since, made.since);
  must(archive::set_drive(catalogue.context(), DriveName("D1"), Desired::kUp, "new head"));
  const Drive down = must(archive::set_drive(catalogue.context(), DriveName("D1"), Desired::kDown, "torn"));
  EXPECT_EQ(down.since, catalogue.wall);
  EXPECT_EQ(must(archive::find_drive(catalogue.context(), DriveName("D1"))).reason, "torn");
  EXPECT_EQ(events(before), (Strings{"drive-reason D1 up>up (new head)", "drive-state D1 up>down (torn)"}));
}

TEST_P(Drives, OneThatNeverRegisteredIsAbsentBeforeAnythingElseIsWrong) {
  EXPECT_EQ(refusal(archive::set_drive(catalogue.context(), DriveName("D9"), Desired::kDown, "")), "not-found");
  must(archive::register_drive(catalogue.context(), DriveName("D1")));
  EXPECT_EQ(refusal(archive::set_drive(catalogue.context(), DriveName("D1"), Desired::kDown, " \n")), "invalid reason");
  EXPECT_EQ(must(archive::find_drive(catalogue.context(), DriveName("D1"))).desired, Desired::kUp);
}

TEST_P(Drives, AreListedByNamePageByPage) {
  for (const char* name : {"D3", "D1", "D2"}) must(archive::register_drive(catalogue.context(), DriveName(name)));
  const std::vector<Drive> first = must(archive::list_drives(catalogue.context(), "", 2));
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[1].name.str(), "D2");
  EXPECT_EQ(must(archive::list_drives(catalogue.context(), "D2", 2)).at(0).name.str(), "D3");
}

ON_BOTH_ENGINES(Drives);

}  // namespace
}  // namespace reclaim::test
