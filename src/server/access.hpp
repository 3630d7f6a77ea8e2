// Who may do what: bearer tokens with roles.
//
// A token is 32 random bytes, shown once; the database keeps its SHA-256 only. Roles are ordered by what they are for, not by power:
// the table in access.cpp says which role may do what, and admin may do everything.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "ports/database.hpp"

namespace reclaim::server {

enum class Role { kAdmin, kClient, kGateway, kViewer };
std::string_view name_of(Role role);
std::optional<Role> role_of(std::string_view name);

// What an endpoint needs.
enum class Need {
  kRead,     // any role but gateway
  kClient,   // owners and resources: client, admin
  kGateway,  // on behalf of a worker's key: gateway, admin
  kAdmin,
};

struct Caller {
  std::string token_id;
  std::string name;
  Role role = Role::kViewer;
  std::string actor() const { return "token:" + name; }
};

// kForbidden names the role that would do.
Status authorise(const Caller& caller, Need need);

struct Token {
  std::string id;
  std::string name;
  Role role = Role::kViewer;
  WallTime created;
};

struct NewToken {
  Token token;
  std::string secret;
};

Result<NewToken> create_token(ports::Database& database, Random& random, WallTime now, Role role, const std::string& name);
Result<std::vector<Token>> list_tokens(ports::Database& database, const std::string& after, std::int64_t limit);
// kNotFound where there is none.
Result<Token> find_token(ports::Database& database, const std::string& id);
// kNotFound where there is none; kConflict for the last admin token, which would lock everybody out.
Result<Token> delete_token(ports::Database& database, const std::string& id);
// kUnauthenticated for anything that is not the secret of a token. `bearer` is the whole header: `Bearer SECRET`.
Result<Caller> authenticate(ports::Database& database, std::string_view bearer);

}  // namespace reclaim::server
