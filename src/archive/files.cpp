#include "archive/files.hpp"

#include <algorithm>
#include <map>

#include "archive/copies.hpp"
#include "audit/events.hpp"
#include "ports/statements.hpp"
#include "wire/json.hpp"

namespace reclaim::archive {
namespace {

using ports::Transaction;

constexpr std::string_view kAdler32 = "adler32:";

struct FileRow {
  std::int64_t id = 0;
  File file;
};

FileRow parse_file(const ports::Row& row) {
  return {.id = row.integer(0),
          .file = {.spec = {.id = FileId(row.text(1)), .size = row.integer(2), .checksum = row.text(3), .copies = {}},
                   .created = {row.integer(4)}}};
}

Result<FileRow> read_file(Transaction& transaction, ports::Statement statement, const FileId& id) {
  const ports::Rows rows = TRY(transaction.run(statement, {id.str()}));
  if (rows.empty()) return not_found("no file " + id.str());
  FileRow row = parse_file(rows[0]);
  CopiesByFile copies = TRY(copies_of(transaction, {row.id}));
  row.file.spec.copies = std::move(copies[row.id]);
  return row;
}

// The files of these rows, in their order, with their copies.
Result<std::vector<File>> with_copies(Transaction& transaction, const ports::Rows& rows) {
  std::vector<FileRow> found;
  std::vector<std::int64_t> ids;
  for (const ports::Row& row : rows) {
    found.push_back(parse_file(row));
    ids.push_back(found.back().id);
  }
  CopiesByFile copies = TRY(copies_of(transaction, ids));
  std::vector<File> files;
  files.reserve(found.size());
  for (FileRow& row : found) {
    row.file.spec.copies = std::move(copies[row.id]);
    files.push_back(std::move(row.file));
  }
  return files;
}

audit::Event event_of(const char* action, const FileSpec& spec) {
  return {.action = action, .reason = spec.copies.empty() ? "no copies" : "copies " + in_words(spec.copies), .file = spec.id.str()};
}

// A batch against the catalogue as it is: what is there of what it names, and what its earlier items have added.
class Batch {
 public:
  Batch(Transaction& transaction, const Context& context) : transaction_(transaction), context_(context) {}

  Status look(const std::vector<FileSpec>& specs) {
    wire::Json ids = wire::Json::array();
    std::vector<Copy> copies;
    for (const FileSpec& spec : specs) {
      ids.push_back(spec.id.str());
      copies.insert(copies.end(), spec.copies.begin(), spec.copies.end());
    }
    // Places before files: who has taken a place is seen as a file, too. The other way round, one that was added in between with equal
    // content would be known by its places only, and look like another.
    tapes_ = TRY(hold_tapes(transaction_, copies));
    places_ = TRY(taken_places(transaction_, tapes_, copies));
    const ports::Rows rows = TRY(transaction_.run(sql::files_find, {wire::to_text(ids)}));
    for (File& file : TRY(with_copies(transaction_, rows))) {
      std::string id = file.spec.id.str();
      files_.emplace(std::move(id), std::move(file));
    }
    return done();
  }

  Result<Outcome<File>> add(const FileSpec& spec) {
    TRY(check_tapes(tapes_, spec.copies));
    const auto there = files_.find(spec.id.str());
    if (there != files_.end()) {
      if (there->second.spec == spec) return Outcome<File>{there->second, false};
      return conflict("file " + spec.id.str() + " is there with other content");
    }
    TRY(check_places(places_, spec.copies));
    for (const Copy& copy : spec.copies) places_.emplace(Place{copy.vid, copy.fseq}, spec.id.str());
    File file{.spec = spec, .created = context_.wall};
    files_.emplace(spec.id.str(), file);
    added_.push_back(&spec);
    return Outcome<File>{std::move(file), true};
  }

  // Somebody may have added the same meanwhile: then the whole is looked at again.
  Status store() {
    wire::Json list = wire::Json::array();
    std::vector<audit::Event> events;
    for (const FileSpec* spec : added_) events.push_back(event_of("file-added", *spec));
    std::ranges::sort(added_, {}, [](const FileSpec* spec) { return spec->id.str(); });  // in one order, so that batches do not deadlock
    for (const FileSpec* spec : added_) {
      list.push_back({{"id", spec->id.str()}, {"size", spec->size}, {"checksum", spec->checksum}});
    }
    if (list.empty()) return done();
    const ports::Rows inserted = TRY(transaction_.run(sql::files_insert, {wire::to_text(list), context_.wall.ms}));
    if (inserted.size() < added_.size()) return contended("files of the same names were added meanwhile");
    std::map<std::string, std::int64_t> rows;
    for (const ports::Row& row : inserted) rows.emplace(row.text(1), row.integer(0));
    std::vector<PlacedCopies> placed;
    for (const FileSpec* spec : added_) placed.push_back({rows.at(spec->id.str()), &spec->copies});
    TRY(insert_copies(transaction_, tapes_, placed));
    return audit::append_events(transaction_, context_.wall, context_.actor, events);
  }

 private:
  Transaction& transaction_;
  const Context& context_;
  TapeIds tapes_;
  std::map<std::string, File> files_;
  Places places_;
  std::vector<const FileSpec*> added_;
};

}  // namespace

Result<std::string> parse_checksum(std::string_view text, std::string field) {
  constexpr std::size_t kDigits = 8;
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  const bool is_one =
      text.size() == kAdler32.size() + kDigits && text.starts_with(kAdler32) && std::ranges::all_of(text.substr(kAdler32.size()), is_hex);
  if (!is_one) return invalid(std::move(field), "must be adler32: and 8 hexadecimal digits");
  std::string checksum(text);
  std::ranges::transform(checksum, checksum.begin(), [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
  return checksum;
}

Result<std::vector<Result<Outcome<File>>>> add_files(const Context& context, const std::vector<FileSpec>& specs) {
  check(specs.size() <= kFilesMax, "a batch of files is bounded by its caller");
  using Outcomes = std::vector<Result<Outcome<File>>>;
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<Outcomes> {
    Batch batch(transaction, context);
    TRY(batch.look(specs));
    Outcomes outcomes;
    outcomes.reserve(specs.size());
    for (const FileSpec& spec : specs) outcomes.push_back(batch.add(spec));
    TRY(batch.store());
    return outcomes;
  });
}

Result<File> change_copies(const Context& context, const FileId& id, const std::vector<Copy>& copies) {
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<File> {
    FileRow row = TRY(read_file(transaction, sql::file_lock, id));
    const TapeIds tapes = TRY(hold_tapes(transaction, copies));
    TRY(check_tapes(tapes, copies));
    if (row.file.spec.copies == copies) return std::move(row.file);
    TRY(transaction.run(sql::copies_delete, {row.id}));
    const Places taken = TRY(taken_places(transaction, tapes, copies));
    TRY(check_places(taken, copies));
    TRY(insert_copies(transaction, tapes, {{row.id, &copies}}));
    row.file.spec.copies = copies;
    TRY(audit::append_events(transaction, context.wall, context.actor, {event_of("file-changed", row.file.spec)}));
    return std::move(row.file);
  });
}

Result<File> find_file(const Context& context, const FileId& id) {
  return ports::transact(context.database, ports::Access::kRead,
                         [&](Transaction& transaction) -> Result<File> { return TRY(read_file(transaction, sql::file_find, id)).file; });
}

Result<std::vector<File>> list_files(const Context& context, const std::string& after, std::int64_t limit) {
  return ports::transact(context.database, ports::Access::kRead, [&](Transaction& transaction) -> Result<std::vector<File>> {
    return with_copies(transaction, TRY(transaction.run(sql::file_list, {after, limit})));
  });
}

Result<std::vector<FileOnTape>> list_files_of_tape(const Context& context, const Vid& vid, std::int64_t after_fseq, std::int64_t limit) {
  return ports::transact(context.database, ports::Access::kRead, [&](Transaction& transaction) -> Result<std::vector<FileOnTape>> {
    const ports::Rows rows = TRY(transaction.run(sql::file_list_of_tape, {vid.str(), after_fseq, limit}));
    std::vector<FileOnTape> listed;
    for (File& file : TRY(with_copies(transaction, rows))) listed.push_back({std::move(file), rows[listed.size()].integer(5)});
    return listed;
  });
}

Result<File> remove_file(const Context& context, const FileId& id, const HasRequests& has_requests) {
  return ports::transact(context.database, ports::Access::kWrite, [&](Transaction& transaction) -> Result<File> {
    FileRow row = TRY(read_file(transaction, sql::file_lock, id));
    if (TRY(has_requests())) return conflict("requests wait for file " + id.str());
    TRY(transaction.run(sql::file_delete, {row.id}));
    TRY(audit::append_events(transaction, context.wall, context.actor, {event_of("file-removed", row.file.spec)}));
    return std::move(row.file);
  });
}

}  // namespace reclaim::archive
