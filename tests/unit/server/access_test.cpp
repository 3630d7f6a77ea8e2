#include "server/access.hpp"

#include <gtest/gtest.h>

#include "adapters/database_sqlite/sqlite.hpp"
#include "sim/fleet_world.hpp"
#include "support/manual_clock.hpp"

namespace reclaim::test {
namespace {

using server::Need;
using server::Role;
using sim::must;

class Access : public testing::Test {
 protected:
  server::NewToken make(Role role, const std::string& name = "t") {
    return must(server::create_token(*database_, random_, clock_.wall(), role, name));
  }

  std::unique_ptr<ports::Database> database_ = must(database_sqlite::open_sqlite({}));
  ManualClock clock_;
  CountingRandom random_;
};

TEST_F(Access, ATokenIsKnownByItsSecretAlone) {
  const server::NewToken made = make(Role::kClient, "ci");
  const server::Caller caller = must(server::authenticate(*database_, "Bearer " + made.secret));
  EXPECT_EQ(caller.name, "ci");
  EXPECT_EQ(caller.role, Role::kClient);
  const std::vector<std::string> wrongs{"", made.secret, "Bearer ", "Bearer " + made.token.id, "Bearer " + made.secret + "0"};
  for (const std::string& wrong : wrongs) {
    const auto refused = server::authenticate(*database_, wrong);
    ASSERT_FALSE(refused.ok()) << wrong;
    EXPECT_EQ(refused.error().kind, Error::Kind::kUnauthenticated);
  }
}

TEST_F(Access, ADeletedTokenOpensNothing) {
  make(Role::kAdmin);
  const server::NewToken made = make(Role::kClient);
  must(server::delete_token(*database_, made.token.id));
  EXPECT_FALSE(server::authenticate(*database_, "Bearer " + made.secret).ok());
  EXPECT_EQ(server::delete_token(*database_, made.token.id).error().kind, Error::Kind::kNotFound);
}

TEST_F(Access, TheLastAdminTokenStays) {
  const server::NewToken only = make(Role::kAdmin);
  EXPECT_EQ(server::delete_token(*database_, only.token.id).error().kind, Error::Kind::kConflict);
  EXPECT_TRUE(server::authenticate(*database_, "Bearer " + only.secret).ok()) << "the refused deletion changed nothing";
}

TEST_F(Access, EveryRoleMayDoWhatItIsForAndNothingElse) {
  const struct {
    Role role;
    bool read, client, gateway, admin;
  } table[] = {
      {Role::kAdmin, true, true, true, true},
      {Role::kClient, true, true, false, false},
      {Role::kGateway, false, false, true, false},
      {Role::kViewer, true, false, false, false},
  };
  for (const auto& row : table) {
    const server::Caller caller{.role = row.role};
    EXPECT_EQ(server::authorise(caller, Need::kRead).ok(), row.read) << name_of(row.role);
    EXPECT_EQ(server::authorise(caller, Need::kClient).ok(), row.client) << name_of(row.role);
    EXPECT_EQ(server::authorise(caller, Need::kGateway).ok(), row.gateway) << name_of(row.role);
    EXPECT_EQ(server::authorise(caller, Need::kAdmin).ok(), row.admin) << name_of(row.role);
  }
}

}  // namespace
}  // namespace reclaim::test
