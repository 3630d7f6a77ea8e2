#include "archive/policies.hpp"

#include "audit/events.hpp"
#include "ports/statements.hpp"

namespace reclaim::archive {
namespace {

using ports::Transaction;

Policy parse_policy(const ports::Row& row) {
  return {.name = PolicyName(row.text(0)),
          .priority = row.integer(1),
          .min_age_s = row.integer(2),
          .min_files = row.integer(3),
          .min_bytes = row.integer(4)};
}

template <class Runner>
Result<Policy> read_policy(Runner& runner, ports::Statement statement, const PolicyName& name) {
  const ports::Rows rows = TRY(runner.run(statement, {name.str()}));
  if (rows.empty()) return not_found("no policy " + name.str());
  return parse_policy(rows[0]);
}

std::string in_words(const Policy& policy) {
  return "priority " + std::to_string(policy.priority) + ", from " + std::to_string(policy.min_age_s) + " s, " +
         std::to_string(policy.min_files) + " files or " + std::to_string(policy.min_bytes) + " bytes";
}

Status tell(Transaction& transaction, const Context& context, const char* action, const PolicyName& name, std::string reason = "") {
  return audit::append_events(transaction, context.wall, context.actor,
                              {{.action = action, .reason = std::move(reason), .policy = name.str()}});
}

}  // namespace

Result<Outcome<Policy>> put_policy(const Context& context, const Policy& policy) {
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<Outcome<Policy>> {
    const ports::Values values{policy.name.str(), policy.priority, policy.min_age_s, policy.min_files, policy.min_bytes};
    const bool created = TRY(transaction.run(sql::policy_insert, values)).changed > 0;
    if (!created) {
      const Result<Policy> before = read_policy(transaction, sql::policy_lock, policy.name);
      if (!before.ok() && before.error().kind == Error::Kind::kNotFound) return contended("the policy has just been removed");
      if (TRY(before) == policy) return Outcome<Policy>{policy, false};
      TRY(transaction.run(sql::policy_update, values));
    }
    TRY(tell(transaction, context, "policy-set", policy.name, in_words(policy)));
    return Outcome<Policy>{policy, created};
  });
}

Result<Policy> find_policy(const Context& context, const PolicyName& name) { return read_policy(context.database, sql::policy_find, name); }

Result<std::vector<Policy>> list_policies(const Context& context, const std::string& after, std::int64_t limit) {
  std::vector<Policy> policies;
  for (const ports::Row& row : TRY(context.database.run(sql::policy_list, {after, limit}))) policies.push_back(parse_policy(row));
  return policies;
}

Result<Policy> remove_policy(const Context& context, const PolicyName& name) {
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<Policy> {
    Policy policy = TRY(read_policy(transaction, sql::policy_lock, name));
    TRY(transaction.run(sql::policy_delete, {name.str()}));
    TRY(tell(transaction, context, "policy-removed", name));
    return policy;
  });
}

}  // namespace reclaim::archive
