// What every object store promises, call by call.
#include <string>
#include <vector>

#include "contract/store/stores.hpp"

namespace reclaim::test {
namespace {

using ports::Object;
using ports::ObjectName;
using ports::StoreAnswer;
using ports::StoreCall;
using ports::Version;
using enum Error::Kind;

const ObjectName kQueue{"queue", "V00001.to_transfer"};
const ObjectName kOther{"queue", "V00002.to_transfer"};

class StoreTest : public StoreContract {};

INSTANTIATE_TEST_SUITE_P(Stores, StoreTest, testing::ValuesIn(makers()), name_of);

TEST_P(StoreTest, AnObjectIsReadAsItWasCreated) {
  const std::string bytes("\0one\xff", 5);
  const Version version = store().create(kQueue, bytes).value();
  EXPECT_NE(version.number, 0U);
  const Object object = store().read(kQueue).value();
  EXPECT_EQ(object.bytes, bytes);
  EXPECT_EQ(object.version, version);
}

TEST_P(StoreTest, WhatIsNotThereCannotBeReadReplacedOrRemoved) {
  EXPECT_EQ(failure(store().read(kQueue)), kNotFound);
  EXPECT_EQ(failure(store().replace(kQueue, {1}, "new")), kNotFound);
  EXPECT_EQ(failure(store().replace(kQueue, {}, "new")), kNotFound);
  EXPECT_EQ(failure(store().remove(kQueue, {1})), kNotFound);
  EXPECT_EQ(failure(store().read(kQueue)), kNotFound);
}

TEST_P(StoreTest, ANameIsCreatedOnce) {
  const Version version = store().create(kQueue, "first").value();
  EXPECT_EQ(failure(store().create(kQueue, "second")), kConflict);
  EXPECT_EQ(failure(store().create(kQueue, "first")), kConflict);
  EXPECT_EQ(store().read(kQueue).value().bytes, "first");
  EXPECT_EQ(store().read(kQueue).value().version, version);
}

TEST_P(StoreTest, AReplaceAtTheVersionReadIsDoneAndOthersAreRefused) {
  const Version first = store().create(kQueue, "1").value();
  const Version second = store().replace(kQueue, first, "2").value();
  EXPECT_GT(second, first);
  EXPECT_EQ(failure(store().replace(kQueue, first, "late")), kConflict);
  EXPECT_EQ(failure(store().replace(kQueue, {}, "late")), kConflict);
  EXPECT_EQ(failure(store().replace(kQueue, {second.number + 1}, "early")), kConflict);
  EXPECT_EQ(store().read(kQueue).value().bytes, "2");
  EXPECT_EQ(store().read(kQueue).value().version, second);
}

TEST_P(StoreTest, AReplaceByTheSameBytesIsANewVersion) {
  const Version first = store().create(kQueue, "same").value();
  EXPECT_GT(store().replace(kQueue, first, "same").value(), first);
  EXPECT_EQ(failure(store().replace(kQueue, first, "late")), kConflict);
  const Version empty = store().create(kOther, "").value();
  EXPECT_GT(store().replace(kOther, empty, "").value(), empty);
  EXPECT_EQ(failure(store().replace(kOther, empty, "late")), kConflict);
}

TEST_P(StoreTest, ARemoveAtTheVersionReadIsDoneAndOthersAreRefused) {
  const Version first = store().create(kQueue, "1").value();
  const Version second = store().replace(kQueue, first, "2").value();
  EXPECT_EQ(failure(store().remove(kQueue, first)), kConflict);
  EXPECT_EQ(store().read(kQueue).value().bytes, "2");
  EXPECT_TRUE(store().remove(kQueue, second).ok());
  EXPECT_EQ(failure(store().read(kQueue)), kNotFound);
  EXPECT_EQ(failure(store().remove(kQueue, second)), kNotFound);
}

TEST_P(StoreTest, AVersionIsNeverUsedTwiceForAName) {
  Version last;
  for (int life = 0; life < 20; ++life) {
    const Version created = store().create(kQueue, "same").value();
    EXPECT_GT(created, last);
    EXPECT_EQ(failure(store().replace(kQueue, last, "late")), kConflict);
    last = created;
    if (life % 2 == 0) last = store().replace(kQueue, created, "same").value();
    EXPECT_TRUE(store().remove(kQueue, last).ok());
    if (life % 3 == 0) reopen();
  }
}

TEST_P(StoreTest, AnObjectMayBeEmptyOrSixteenMebibytes) {
  const Version empty = store().create(kQueue, "").value();
  EXPECT_EQ(store().read(kQueue).value().bytes, "");
  std::string large(ports::kObjectBytesMax, 'x');
  large.back() = 'y';
  const Version grown = store().replace(kQueue, empty, large).value();
  EXPECT_TRUE(store().read(kQueue).value().bytes == large);
  large.push_back('z');
  EXPECT_EQ(failure(store().replace(kQueue, grown, large)), kTooLarge);
  EXPECT_EQ(failure(store().create(kOther, large)), kTooLarge);
  EXPECT_EQ(store().read(kQueue).value().version, grown);
  EXPECT_EQ(failure(store().read(kOther)), kNotFound);
  EXPECT_TRUE(store().replace(kQueue, grown, "").ok());
  EXPECT_EQ(store().read(kQueue).value().bytes, "");
}

TEST_P(StoreTest, NamesUpToTheirLimitsAreTold) {
  const ObjectName longest{std::string(ports::kObjectKindMax, 'k'), std::string(ports::kObjectKeyMax, '9')};
  const ObjectName shortest{"k", "9"};
  for (const ObjectName& name : {longest, shortest, ObjectName{"agent", "A._@-z"}}) {
    EXPECT_TRUE(store().create(name, name.str()).ok()) << name.str();
    EXPECT_EQ(store().read(name).value().bytes, name.str());
  }
  EXPECT_EQ(store().list_all("k").value(), std::vector<std::string>{"9"});
}

TEST_P(StoreTest, BadNamesAreRefused) {
  const std::string nul("a\0b", 3);
  const std::vector<ObjectName> bad = {
      {"", "a"},         {"queue", ""},   {"Queue", "a"},   {"que-ue", "a"},      {"queue1", "a"},
      {"queue", ".a"},   {"queue", "-a"}, {"queue", "a/b"}, {"queue", "../a"},    {"queue", "a b"},
      {"queue", "\xc3"}, {"queue", nul},  {nul, "a"},       {"queue/queue", "a"}, {std::string(ports::kObjectKindMax + 1, 'k'), "a"},
      {"queue", "a\n"},  {"queue", "@a"}, {"queue", "a!"},  {"!store", "a"},      {"queue", std::string(ports::kObjectKeyMax + 1, 'a')},
  };
  for (const ObjectName& name : bad) {
    EXPECT_FALSE(is_well_formed(name)) << name.str();
    EXPECT_EQ(failure(store().create(name, "x")), kInvalid) << name.str();
    EXPECT_EQ(failure(store().read(name)), kInvalid) << name.str();
    EXPECT_EQ(failure(store().replace(name, {1}, "x")), kInvalid) << name.str();
    EXPECT_EQ(failure(store().remove(name, {1})), kInvalid) << name.str();
  }
  EXPECT_EQ(failure(store().list("Queue", "", 10)), kInvalid);
  EXPECT_EQ(failure(store().list("", "", 10)), kInvalid);
  EXPECT_EQ(failure(store().list("queue", "a/b", 10)), kInvalid);
}

TEST(ObjectName, IsReadAsItIsWritten) {
  EXPECT_EQ(ports::parse_object_name(kQueue.str()).value(), kQueue);
  for (const char* text : {"", "queue", "queue/", "/a", "queue/a/b", "queue/ a", "Queue/a"}) {
    EXPECT_EQ(failure(ports::parse_object_name(text)), kInvalid) << text;
  }
}

TEST_P(StoreTest, CallsOfABatchAreIndependentAndAnsweredInTheirOrder) {
  const Version queue = store().create(kQueue, "queue").value();
  const Version other = store().create(kOther, "other").value();
  const std::string over(ports::kObjectBytesMax + 1, 'x');
  const std::vector<StoreCall> calls = {
      ports::replace_call({"queue", "missing"}, {1}, "x"),  //
      ports::create_call({"segment", "new"}, "new"),        //
      ports::remove_call(kOther, {other.number + 1}),       //
      ports::create_call({"segment", "../bad"}, "bad"),     //
      ports::create_call({"segment", "over"}, over),        //
      ports::read_call({"segment", "nothing"}),             //
      ports::replace_call(kQueue, queue, "replaced"),       //
  };
  const std::vector<StoreAnswer> answers = store().run(calls);
  ASSERT_EQ(answers.size(), calls.size());
  EXPECT_EQ(failure(answers[0]), kNotFound);
  EXPECT_TRUE(answers[1].ok());
  EXPECT_EQ(failure(answers[2]), kConflict);
  EXPECT_EQ(failure(answers[3]), kInvalid);
  EXPECT_EQ(failure(answers[4]), kTooLarge);
  EXPECT_EQ(failure(answers[5]), kNotFound);
  EXPECT_TRUE(answers[6].ok());
  EXPECT_EQ(answers[1].value().version, store().read({"segment", "new"}).value().version);
  EXPECT_EQ(answers[6].value().version, store().read(kQueue).value().version);
  EXPECT_EQ(store().read(kQueue).value().bytes, "replaced");
  EXPECT_EQ(store().read(kOther).value().version, other);
}

TEST_P(StoreTest, AnswersHoldWhatTheirCallAskedFor) {
  const Version queue = store().create(kQueue, "queue").value();
  const Version other = store().create(kOther, "other").value();
  const std::vector<StoreAnswer> answers = store().run(
      std::vector<StoreCall>{ports::read_call(kQueue), ports::remove_call(kOther, other), ports::create_call({"queue", "third"}, "third")});
  EXPECT_EQ(answers[0].value().bytes, "queue");
  EXPECT_EQ(answers[0].value().version, queue);
  EXPECT_EQ(answers[1].value().bytes, "");
  EXPECT_EQ(answers[1].value().version, Version{});
  EXPECT_EQ(answers[2].value().bytes, "");
  EXPECT_NE(answers[2].value().version, Version{});
}

TEST_P(StoreTest, ABatchHasLimitsAndDoesNothingBeyondThem) {
  EXPECT_TRUE(store().run({}).empty());
  std::vector<StoreCall> calls;
  for (std::size_t i = 0; i <= ports::kStoreBatchMax; ++i) calls.push_back(ports::create_call({"queue", std::to_string(i)}, "x"));
  std::vector<StoreAnswer> answers = store().run(calls);
  ASSERT_EQ(answers.size(), calls.size());
  for (const StoreAnswer& answer : answers) EXPECT_EQ(failure(answer), kTooLarge);
  EXPECT_TRUE(store().list_all("queue").value().empty());

  calls.clear();
  for (int i = 0; i < 5; ++i) calls.push_back(ports::create_call({"queue", std::to_string(i)}, std::string(ports::kObjectBytesMax, 'x')));
  calls[4].bytes = "x";
  answers = store().run(calls);
  ASSERT_EQ(answers.size(), calls.size());
  for (const StoreAnswer& answer : answers) EXPECT_EQ(failure(answer), kTooLarge);
  EXPECT_TRUE(store().list_all("queue").value().empty());

  calls.pop_back();
  for (const StoreAnswer& answer : store().run(calls)) EXPECT_TRUE(answer.ok());
  EXPECT_EQ(store().list_all("queue").value().size(), calls.size());
}

TEST_P(StoreTest, ABatchThatNamesAnObjectTwiceDoesNothing) {
  const Version version = store().create(kQueue, "queue").value();
  const std::vector<StoreAnswer> answers = store().run(
      std::vector<StoreCall>{ports::replace_call(kQueue, version, "x"), ports::create_call(kOther, "y"), ports::read_call(kQueue)});
  ASSERT_EQ(answers.size(), 3U);
  for (const StoreAnswer& answer : answers) EXPECT_EQ(failure(answer), kInvalid);
  EXPECT_EQ(store().read(kQueue).value().version, version);
  EXPECT_EQ(failure(store().read(kOther)), kNotFound);
}

TEST_P(StoreTest, WhatWasAnsweredIsThereForWhoComesLater) {
  const Version version = store().create(kQueue, "kept").value();
  const Version gone = store().create(kOther, "gone").value();
  EXPECT_TRUE(store().remove(kOther, gone).ok());
  reopen();
  EXPECT_EQ(store().read(kQueue).value().bytes, "kept");
  EXPECT_EQ(store().read(kQueue).value().version, version);
  EXPECT_EQ(failure(store().read(kOther)), kNotFound);
  EXPECT_GT(store().create(kOther, "again").value(), gone);
  EXPECT_TRUE(store().replace(kQueue, version, "replaced").ok());
}

}  // namespace
}  // namespace reclaim::test
