#include "archive/admission.hpp"

#include <map>
#include <utility>

#include "archive/copies.hpp"
#include "ports/statements.hpp"
#include "wire/json.hpp"

namespace reclaim::archive {
namespace {

using ports::Transaction;
using stored::Request;

// What of the catalogue the submissions name.
struct Known {
  std::map<std::string, Request> files;  // as requests that nobody has made yet
  std::set<std::string> policies;
};

Request about(const ports::Row& row, const std::vector<Copy>& copies) {
  Request request;
  request.set_file(row.text(1));
  request.set_size(static_cast<std::uint64_t>(row.integer(2)));
  request.set_checksum(row.text(3));
  for (const Copy& copy : copies) {
    stored::Request::Copy& one = *request.add_copies();
    one.set_vid(copy.vid.str());
    one.set_fseq(static_cast<std::uint64_t>(copy.fseq));
  }
  return request;
}

Result<Known> look(Transaction& transaction, std::span<const Submission> submissions) {
  std::set<std::string> files;
  std::set<std::string> policies;
  for (const Submission& submission : submissions) {
    files.insert(submission.file.str());
    if (submission.policy) policies.insert(submission.policy->str());
  }
  Known known;
  const ports::Rows rows = TRY(transaction.run(sql::files_find, {wire::to_text(wire::Json(files))}));
  std::vector<std::int64_t> ids;
  for (const ports::Row& row : rows) ids.push_back(row.integer(0));
  CopiesByFile copies = TRY(copies_of(transaction, ids));
  for (const ports::Row& row : rows) known.files.emplace(row.text(1), about(row, copies[row.integer(0)]));
  if (policies.empty()) return known;
  for (const ports::Row& row : TRY(transaction.run(sql::policies_find, {wire::to_text(wire::Json(policies))}))) {
    known.policies.insert(row.text(0));
  }
  return known;
}

Result<Request> admit_one(const Known& known, const Submission& submission, std::int64_t now_ms) {
  const auto file = known.files.find(submission.file.str());
  if (file == known.files.end()) return invalid("file", "no file " + submission.file.str());
  if (submission.policy && !known.policies.contains(submission.policy->str())) {
    return invalid("policy", "no policy " + submission.policy->str());
  }
  Request request = file->second;
  request.set_requester(submission.requester);
  request.set_destination(submission.destination);
  request.set_report_to(submission.report_to);
  if (submission.policy) request.set_policy(submission.policy->str());
  request.set_priority(submission.priority);
  request.set_created_ms(now_ms);
  request.set_round(1);
  if (request.copies().empty()) return conflict("file " + submission.file.str() + " has no copy");
  TRY(check_request(request));
  return request;
}

}  // namespace

Result<std::vector<Result<Request>>> admit(const Context& context, std::span<const Submission> submissions, std::int64_t now_ms) {
  const Known known = TRY(ports::transact(context.database, ports::Access::kRead,
                                          [&](Transaction& transaction) -> Result<Known> { return look(transaction, submissions); }));
  std::vector<Result<Request>> admitted;
  admitted.reserve(submissions.size());
  for (const Submission& submission : submissions) admitted.push_back(admit_one(known, submission, now_ms));
  return admitted;
}

Result<std::set<std::string>> book_requests(const Context& context, const Origins& highest, const std::set<std::string>& files) {
  std::set<std::string> missing = files;
  if (missing.empty()) return missing;
  const auto book = [&](Transaction& transaction) -> Result<ports::Rows> {
    TRY(raise_origins(transaction, context.wall, highest));
    return transaction.run(sql::files_hold, {wire::to_text(wire::Json(files))});
  };
  // Where there are no row locks, whoever writes is waited for all the same: it is a write transaction.
  const ports::Rows rows = TRY(ports::transact(context.database, ports::Access::kWrite, book));
  for (const ports::Row& row : rows) missing.erase(row.text(0));
  return missing;
}

}  // namespace reclaim::archive
