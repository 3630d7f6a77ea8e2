// reclaim files archive: copies of files onto tapes, then their entries in the catalogue. A file's id is its name without directories.
//
// A file is read twice: to know what it is, and to copy it; what has changed in between is not registered. A crash leaves at most the
// copies of one file on tapes without an entry; run again, it goes on with that file, at new places.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/adler32.hpp"
#include "base/printable.hpp"
#include "cli/client.hpp"
#include "cli/commands.hpp"

namespace reclaim::cli {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 20U;
constexpr std::size_t kTapesMax = 16;
constexpr int kPlacesTried = 100;

struct Wanted {
  std::string library;
  std::vector<std::string> vids;
  std::vector<std::string> files;
};

struct Content {
  std::uint64_t size = 0;
  std::string checksum;
  bool operator==(const Content&) const = default;
};

using Sink = std::function<Status(std::string_view bytes)>;

Result<Content> read_file(const std::string& path, const Sink& sink) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(path, failure)) return invalid("FILE", "is not a regular file");
  std::ifstream file(path, std::ios::binary);
  if (!file) return invalid("FILE", "cannot be read");
  Content content;
  Adler32 sum;
  std::vector<char> chunk(kChunk);
  while (file) {
    file.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    const std::string_view bytes(chunk.data(), static_cast<std::size_t>(file.gcount()));
    sum.add(bytes);
    content.size += bytes.size();
    TRY(sink(bytes));
  }
  if (!file.eof()) return invalid("FILE", "cannot be read to its end");
  content.checksum = sum.text();
  return content;
}

std::uint64_t fseq_on(const Ordered& file, const std::string& vid) {
  for (const Ordered& copy : file.value("copies", Ordered::array())) {
    if (copy.is_object() && copy.value("vid", "") == vid) return copy.value("fseq", std::uint64_t{0});
  }
  return 0;
}

// The next free places of tapes: behind all that lies there and all that the catalogue says of them.
class Places {
 public:
  Places(Session& session, ports::TapeLibrary& library) : session_(session), library_(library) {}

  // Of a tape that is there, in the catalogue, and takes something.
  Status check(const std::string& vid) {
    const std::string shown = TRY(session_.api().call("GET", "/api/v1/tapes/" + url_encoded(vid)));
    const Ordered tape = TRY(read_body(shown));
    if (tape.is_object() && tape.value("full", false)) return conflict("tape " + vid + " is full");
    if (TRY(library_.has(vid))) return done();
    return not_found("there is no tape " + vid + " in " + library_.name() + ": a tape is a folder there");
  }

  // A writer at the next place that nobody takes first.
  Result<std::unique_ptr<ports::TapeWriter>> begin(const std::string& vid, std::uint64_t& fseq) {
    for (int tried = 0; tried < kPlacesTried; ++tried) {
      if (!last_.contains(vid)) last_[vid] = TRY(last_of(vid));
      fseq = ++last_[vid];
      Result<std::unique_ptr<ports::TapeWriter>> writer = library_.begin(vid, fseq);
      const bool is_taken = !writer.ok() && writer.error().kind == Error::Kind::kConflict;
      if (!is_taken) return writer;
      last_.erase(vid);
    }
    return contended("others write onto tape " + vid + " too: try again");
  }

 private:
  Result<std::uint64_t> last_of(const std::string& vid) {
    std::uint64_t last = TRY(library_.last_fseq(vid));
    const auto take = [&](const std::string& body) -> Status {
      const Ordered page = TRY(read_body(body));
      for (const Ordered& file : page.value("files", Ordered::array())) last = std::max(last, fseq_on(file, vid));
      return done();
    };
    const std::optional<std::string> after = last == 0 ? std::nullopt : std::optional(std::to_string(last));
    TRY(session_.api().pages("/api/v1/files?vid=" + url_encoded(vid), after, take));
    return last;
  }

  Session& session_;
  ports::TapeLibrary& library_;
  std::map<std::string, std::uint64_t> last_;
};

class Archiver {
 public:
  Archiver(Session& session, ports::TapeLibrary& library, const std::vector<std::string>& vids)
      : session_(session), places_(session, library), vids_(vids) {}

  Status check_tapes() {
    for (const std::string& vid : vids_) TRY(places_.check(vid));
    return done();
  }

  // The file as the API shows it, and whether it was there before.
  Result<Ordered> archive(const std::string& path) {
    const std::string id = std::filesystem::path(path).filename();
    if (!is_well_formed_name(id)) return invalid("FILE", "its name must match [A-Za-z0-9][A-Za-z0-9._-]{0,127}: it becomes the id");
    const Content content = TRY(read_file(path, [](std::string_view) { return done(); }));
    const Result<std::string> there = session_.api().call("GET", "/api/v1/files/" + url_encoded(id));
    if (there.ok()) return judge(TRY(read_body(there.value())), content);
    if (there.error().kind != Error::Kind::kNotFound) return there.error();
    wire::Json copies = TRY(copy(path, content));
    const wire::Json file{{"id", id}, {"size", content.size}, {"checksum", content.checksum}, {"copies", std::move(copies)}};
    const std::string answer = TRY(session_.api().call("POST", "/api/v1/files", wire::to_text(file)));
    Ordered added = TRY(read_body(answer));
    added["result"] = "archived";
    return added;
  }

 private:
  Result<Ordered> judge(Ordered there, const Content& content) const {
    if (!there.is_object()) return corrupt("the answer is no file: check --server");
    const Content registered{there.value("size", std::uint64_t{0}), there.value("checksum", "")};
    if (registered != content) return conflict("another file of this name is in the catalogue: give this one another name");
    for (const std::string& vid : vids_) {
      if (fseq_on(there, vid) == 0) return conflict("it is in the catalogue without a copy on " + vid + ": remove it there first");
    }
    there["result"] = "kept";
    return there;
  }

  // Onto all tapes at once; none has it until all hold it.
  Result<wire::Json> copy(const std::string& path, const Content& expected) {
    wire::Json copies = wire::Json::array();
    std::vector<std::unique_ptr<ports::TapeWriter>> writers;
    for (const std::string& vid : vids_) {
      std::uint64_t fseq = 0;
      writers.push_back(TRY(places_.begin(vid, fseq)));
      copies.push_back({{"vid", vid}, {"fseq", fseq}});
    }
    const auto append = [&](std::string_view bytes) -> Status {
      for (const auto& writer : writers) TRY(writer->append(bytes));
      return done();
    };
    const Content copied = TRY(read_file(path, append));
    if (copied != expected) return conflict("it was changed while it was read");
    for (const auto& writer : writers) TRY(writer->keep());
    return copies;
  }

  Session& session_;
  Places places_;
  const std::vector<std::string>& vids_;
};

// What would fail in the same way with every other file.
bool ends_it(const Error& error) {
  switch (error.kind) {
    case Error::Kind::kNotFound:
    case Error::Kind::kConflict:
    case Error::Kind::kInvalid:
    case Error::Kind::kContended: return false;
    case Error::Kind::kFenced:
    case Error::Kind::kUnavailable:
    case Error::Kind::kCorrupt:
    case Error::Kind::kUnparsable:
    case Error::Kind::kTooLarge:
    case Error::Kind::kForbidden:
    case Error::Kind::kUnauthenticated: return true;
  }
  return true;
}

void show(Session& session, const std::vector<Ordered>& files) {
  if (session.is_json()) {
    session.print(Ordered{{"files", files}}.dump(-1, ' ', false, Ordered::error_handler_t::replace));
    return;
  }
  static const View view = {{"FILE", "path"},     {"ID", "id"},         {"SIZE", "size"},
                            {"COPIES", "copies"}, {"RESULT", "result"}, {"REFUSED BECAUSE", "error.detail"}};
  session.print_table(view, files);
}

// Two files of one name would be one in the catalogue.
Status check_names(const std::vector<std::string>& paths) {
  std::set<std::string> names;
  for (const std::string& path : paths) {
    std::string name = std::filesystem::path(path).filename();
    if (!names.insert(name).second) return invalid("FILE", "two files are called " + printable(name) + ": their names become their ids");
  }
  return done();
}

Status archive(Session& session, const OpenLibrary& open_library, const Wanted& wanted) {
  if (wanted.vids.size() > kTapesMax) return invalid("--vid", "--vid: a file has at most " + std::to_string(kTapesMax) + " copies");
  TRY(check_names(wanted.files));
  const std::unique_ptr<ports::TapeLibrary> library = TRY(open_library(wanted.library));
  Archiver archiver(session, *library, wanted.vids);
  TRY(archiver.check_tapes());
  std::vector<Ordered> files;
  std::size_t refused = 0;
  Status ended;
  Progress progress(session.console());
  for (const std::string& path : wanted.files) {
    progress.say(std::to_string(files.size()) + " of " + std::to_string(wanted.files.size()) + " files, now " + path);
    Result<Ordered> file = archiver.archive(path);
    Ordered item{{"path", path}};
    if (file.ok()) {
      item.update(file.value());
    } else if (ends_it(file.error())) {
      ended = Error{file.error().kind, path + ": " + file.error().message};
      break;
    } else {
      ++refused;
      item.update(Ordered{{"result", "refused"}, {"error", {{"type", name_of(file.error().kind)}, {"detail", file.error().message}}}});
    }
    files.push_back(std::move(item));
  }
  progress.clear();
  show(session, files);
  if (!ended.ok() || refused == 0) return ended;
  return conflict(std::to_string(refused) + " of " + std::to_string(files.size()) + " files refused: put them right and archive again");
}

}  // namespace

void add_archive_command(Commands& commands, CLI::App* files, const OpenLibrary& open_library) {
  auto wanted = std::make_shared<Wanted>();
  CLI::App* command = commands.add(
      files, "archive",
      "Copies files onto tapes and registers them, so that they can be asked for. A file's id is its name. What is registered with equal "
      "content stays: archiving again goes on.",
      "reclaim files archive --vid V00001 --vid V00002 --library dir:/srv/library photo.tif",
      [wanted, open_library](Session& session) { return archive(session, open_library, *wanted); });
  command->add_option("--vid", wanted->vids, "The tape to copy onto; given again, the copies in that order")
      ->required()
      ->allow_extra_args(false)
      ->check(name_check());
  command->add_option("--library", wanted->library, "Where the tapes are: a directory with a folder for each")
      ->required()
      ->type_name("dir:PATH");
  command->add_option("FILE", wanted->files, "What to archive")->required();
}

}  // namespace reclaim::cli
