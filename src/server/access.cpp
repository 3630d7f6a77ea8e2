#include "server/access.hpp"

#include <openssl/sha.h>

#include <array>

#include "ports/statements.hpp"

namespace reclaim::server {
namespace {

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

std::string digest_of(std::string_view secret) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), hash.data());
  return hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

std::string make_secret(Random& random) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) {
    const std::uint64_t word = random.next();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  return hex(bytes);
}

Token parse_token(const ports::Row& row) {
  const std::optional<Role> role = role_of(row.text(2));
  check(role.has_value(), "a token's role is one of ours");
  return {.id = row.text(0), .name = row.text(1), .role = *role, .created = {row.integer(3)}};
}

bool may(Role role, Need need) {
  if (role == Role::kAdmin) return true;
  switch (need) {
    case Need::kRead: return role != Role::kGateway;
    case Need::kClient: return role == Role::kClient;
    case Need::kGateway: return role == Role::kGateway;
    case Need::kAdmin: return false;
  }
  check(false, "unknown need");
  return false;
}

std::string_view role_for(Need need) {
  switch (need) {
    case Need::kRead: return "viewer";
    case Need::kClient: return "client";
    case Need::kGateway: return "gateway";
    case Need::kAdmin: return "admin";
  }
  check(false, "unknown need");
  return "";
}

}  // namespace

std::string_view name_of(Role role) {
  switch (role) {
    case Role::kAdmin: return "admin";
    case Role::kClient: return "client";
    case Role::kGateway: return "gateway";
    case Role::kViewer: return "viewer";
  }
  check(false, "unknown role");
  return "";
}

std::optional<Role> role_of(std::string_view name) {
  for (const Role role : {Role::kAdmin, Role::kClient, Role::kGateway, Role::kViewer}) {
    if (name_of(role) == name) return role;
  }
  return std::nullopt;
}

Status authorise(const Caller& caller, Need need) {
  if (may(caller.role, need)) return done();
  return forbidden("this needs a token of role " + std::string(role_for(need)) + "; yours is " + std::string(name_of(caller.role)));
}

Result<NewToken> create_token(ports::Database& database, Random& random, WallTime now, Role role, const std::string& name) {
  NewToken made{.token = {.id = make_uuid(random), .name = name, .role = role, .created = now}, .secret = make_secret(random)};
  TRY(database.run(sql::token_create, {made.token.id, name, std::string(name_of(role)), digest_of(made.secret), now.ms}));
  return made;
}

Result<std::vector<Token>> list_tokens(ports::Database& database, const std::string& after, std::int64_t limit) {
  const ports::Rows rows = TRY(database.run(sql::token_list, {after, limit}));
  std::vector<Token> tokens;
  for (const ports::Row& row : rows) tokens.push_back(parse_token(row));
  return tokens;
}

Result<Token> find_token(ports::Database& database, const std::string& id) {
  const ports::Rows rows = TRY(database.run(sql::token_find, {id}));
  if (rows.empty()) return not_found("no token " + id);
  return parse_token(rows[0]);
}

Result<Token> delete_token(ports::Database& database, const std::string& id) {
  return ports::transact(database, ports::Access::kWrite, [&](ports::Transaction& transaction) -> Result<Token> {
    const ports::Rows rows = TRY(transaction.run(sql::token_delete, {id}));
    if (rows.empty()) return not_found("no token " + id);
    const ports::Rows admins = TRY(transaction.run(sql::token_admins, ports::Values{}));
    if (admins[0].integer(0) == 0) return conflict("the last admin token stays: create another first");
    return parse_token(rows[0]);
  });
}

Result<Caller> authenticate(ports::Database& database, std::string_view bearer) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!bearer.starts_with(kScheme)) return unauthenticated("send a token: `Authorization: Bearer TOKEN`");
  const ports::Rows rows = TRY(database.run(sql::token_by_digest, {digest_of(bearer.substr(kScheme.size()))}));
  if (rows.empty()) return unauthenticated("this token is not known here");
  const std::optional<Role> role = role_of(rows[0].text(2));
  if (!role) return corrupt("token " + rows[0].text(0) + " has a role that this version does not know");
  return Caller{.token_id = rows[0].text(0), .name = rows[0].text(1), .role = *role};
}

}  // namespace reclaim::server
