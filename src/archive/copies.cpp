#include "archive/copies.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "ports/statements.hpp"
#include "wire/json.hpp"

namespace reclaim::archive {
namespace {

std::string text_of(const Copy& copy) { return copy.vid.str() + ":" + std::to_string(copy.fseq); }

}  // namespace

Result<CopiesByFile> copies_of(ports::Transaction& transaction, const std::vector<std::int64_t>& files) {
  wire::Json ids = wire::Json::array();
  for (const std::int64_t file : files) ids.push_back(std::to_string(file));
  CopiesByFile copies;
  for (const ports::Row& row : TRY(transaction.run(sql::copies_of, {wire::to_text(ids)}))) {
    copies[row.integer(0)].push_back({Vid(row.text(1)), row.integer(2)});
  }
  return copies;
}

Result<TapeIds> hold_tapes(ports::Transaction& transaction, const std::vector<Copy>& copies) {
  std::set<std::string> named;
  for (const Copy& copy : copies) named.insert(copy.vid.str());
  TapeIds tapes;
  for (const ports::Row& row : TRY(transaction.run(sql::tapes_hold, {wire::to_text(wire::Json(named))}))) {
    tapes.emplace(Vid(row.text(1)), row.integer(0));
  }
  return tapes;
}

Result<Places> taken_places(ports::Transaction& transaction, const TapeIds& tapes, const std::vector<Copy>& copies) {
  std::vector<const Copy*> asked;
  wire::Json list = wire::Json::array();
  for (const Copy& copy : copies) {
    const auto tape = tapes.find(copy.vid);
    if (tape == tapes.end()) continue;
    asked.push_back(&copy);
    list.push_back({{"tape", tape->second}, {"fseq", copy.fseq}});
  }
  const ports::Rows rows = TRY(transaction.run(sql::copies_at, {wire::to_text(list)}));
  Places taken;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].is_null(0)) taken.emplace(Place{asked.at(i)->vid, asked.at(i)->fseq}, rows[i].text(0));
  }
  return taken;
}

Status check_tapes(const TapeIds& tapes, const std::vector<Copy>& copies) {
  std::set<Vid> seen;
  for (const Copy& copy : copies) {
    const std::string field = "copies[" + std::to_string(seen.size()) + "].vid";
    if (!tapes.contains(copy.vid)) return invalid(field, "no tape " + copy.vid.str() + ": add it first");
    if (!seen.insert(copy.vid).second) return invalid(field, "tape " + copy.vid.str() + " has a copy of this file already");
  }
  return done();
}

Status check_places(const Places& taken, const std::vector<Copy>& copies) {
  for (const Copy& copy : copies) {
    const auto found = taken.find(Place{copy.vid, copy.fseq});
    if (found != taken.end()) return conflict(text_of(copy) + " holds file " + found->second);
  }
  return done();
}

Status insert_copies(ports::Transaction& transaction, const TapeIds& tapes, const std::vector<PlacedCopies>& placed) {
  struct NewCopy {
    std::int64_t tape, fseq, file;
    std::size_t position;
  };
  std::vector<NewCopy> copies;
  for (const PlacedCopies& each : placed) {
    for (std::size_t i = 0; i < each.copies->size(); ++i) {
      const Copy& copy = (*each.copies)[i];
      copies.push_back({tapes.at(copy.vid), copy.fseq, each.file, i + 1});
    }
  }
  // In one order, so that batches do not deadlock.
  std::ranges::sort(copies, {}, [](const NewCopy& copy) { return std::tie(copy.tape, copy.fseq); });
  wire::Json list = wire::Json::array();
  for (const NewCopy& copy : copies) {
    list.push_back({{"file", copy.file}, {"position", copy.position}, {"tape", copy.tape}, {"fseq", copy.fseq}});
  }
  if (list.empty()) return done();
  const ports::Rows inserted = TRY(transaction.run(sql::copies_insert, {wire::to_text(list)}));
  if (inserted.changed < static_cast<std::int64_t>(copies.size())) return contended("places on tapes were taken meanwhile");
  return done();
}

std::string in_words(const std::vector<Copy>& copies) {
  std::string words;
  for (const Copy& copy : copies) words.append(words.empty() ? "" : " ").append(text_of(copy));
  return words;
}

}  // namespace reclaim::archive
