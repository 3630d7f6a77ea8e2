#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "cli/catalogue_csv.hpp"
#include "cli/commands.hpp"

namespace reclaim::cli {
namespace {

constexpr const char* kFiles = "/api/v1/files";
constexpr std::size_t kBatch = 10'000;
constexpr std::size_t kRefusalsShown = 20;
constexpr std::int64_t kSizeMax = 9007199254740991;

const View& file_view() {
  static const View view = {{"ID", "id"}, {"SIZE", "size"}, {"COPIES", "copies"}, {"CHECKSUM", "checksum"}, {"CREATED", "created"}};
  return view;
}

std::string path_of(const std::string& id) { return std::string(kFiles) + "/" + url_encoded(id); }

CLI::Option* add_id(CLI::App* command, std::string& id) {
  return command->add_option("ID", id, "The file's id")->required()->check(name_check());
}

CLI::Option* add_copies(CLI::App* command, std::vector<std::string>& copies) {
  const auto copy_error = [](std::string& text) {
    const auto copy = parse_copy(text);
    return copy.ok() ? std::string() : copy.error().message;
  };
  return command->add_option("--copy", copies, "Where a copy lies: its tape and its place there; may be given again, the best first")
      ->allow_extra_args(false)
      ->type_name("VID:FSEQ")
      ->check(CLI::Validator(copy_error, ""));
}

Result<wire::Json> json_of(const std::vector<std::string>& copies) {
  wire::Json list = wire::Json::array();
  for (const std::string& copy : copies) list.push_back(TRY(parse_copy(copy)));
  return list;
}

// What the import of one CSV came to.
struct Import {
  std::int64_t accepted = 0;
  std::int64_t refused = 0;
  std::vector<Ordered> refusals;  // the first ones, with their lines
};

// Whoever reads of a line needs no place in a batch: `[17].size` is `size`.
Ordered without_place(Ordered error) {
  if (!error.is_object() || !error.contains("field") || !error["field"].is_string()) return error;
  const std::string field = error["field"].get<std::string>();
  const std::size_t end = field.find("].");
  if (field.starts_with('[') && end != std::string::npos) error["field"] = field.substr(end + 2);
  return error;
}

Status send(Session& session, const std::vector<wire::Json>& files, const std::vector<std::int64_t>& lines, Import& import) {
  const std::string body = TRY(session.api().call_each(kFiles, wire::to_text(wire::Json(files))));
  const Ordered results = TRY(read_body(body));
  if (!results.is_array() || results.size() != files.size()) return corrupt("the answer is no list of results: check --server");
  for (std::size_t i = 0; i < results.size(); ++i) {
    const bool is_refused = results[i].is_object() && results[i].contains("error");
    ++(is_refused ? import.refused : import.accepted);
    if (!is_refused || import.refusals.size() == kRefusalsShown) continue;
    Ordered refusal{{"line", lines[i]}, {"id", files[i]["id"]}};
    refusal["error"] = without_place(results[i]["error"]);
    import.refusals.push_back(std::move(refusal));
  }
  return done();
}

Result<std::ifstream> open_csv(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return invalid("FILE", "cannot read " + path);
  return file;
}

Error naming(const std::string& path, Error error) {
  if (error.kind == Error::Kind::kInvalid) error.message = path + ", " + error.field + ": " + error.message + "; nothing was sent";
  return error;
}

// The whole is read before anything is sent: what is not a catalogue changes nothing.
Result<std::int64_t> check_csv(const std::string& path) {
  std::ifstream text = TRY(open_csv(path));
  CatalogueCsv csv(text);
  std::int64_t count = 0;
  for (;; ++count) {
    const Result<std::optional<wire::Json>> file = csv.next();
    if (!file.ok()) return naming(path, file.error());
    if (!file.value()) return count;
  }
}

Result<Import> send_csv(Session& session, const std::string& path, std::int64_t total) {
  std::ifstream text = TRY(open_csv(path));
  CatalogueCsv csv(text);
  Import import;
  Progress progress(session.console());
  std::vector<wire::Json> files;
  std::vector<std::int64_t> lines;
  for (bool is_over = false; !is_over;) {
    std::optional<wire::Json> file = TRY(csv.next());
    is_over = !file.has_value();
    if (file) {
      files.push_back(std::move(*file));
      lines.push_back(csv.line());
    }
    if (files.empty() || (files.size() < kBatch && !is_over)) continue;
    TRY(send(session, files, lines, import));
    progress.say(std::to_string(import.accepted + import.refused) + " of " + std::to_string(total) + " files");
    files.clear();
    lines.clear();
  }
  return import;
}

Status import_csv(Session& session, const std::string& path) {
  const std::int64_t total = TRY(check_csv(path));
  const Import import = TRY(send_csv(session, path, total));
  if (session.is_json()) {
    const Ordered report{{"accepted", import.accepted}, {"refused", import.refused}, {"refusals", import.refusals}};
    session.print(report.dump(-1, ' ', false, Ordered::error_handler_t::replace));
  } else {
    session.print(std::to_string(import.accepted) + " files are in the catalogue.");
    static const View view = {{"LINE", "line"}, {"ID", "id"}, {"FIELD", "error.field"}, {"REFUSED BECAUSE", "error.detail"}};
    if (!import.refusals.empty()) session.print_table(view, import.refusals);
  }
  if (import.refused == 0) return done();
  return conflict(std::to_string(import.refused) + " of " + std::to_string(total) + " files refused: put them right and import again");
}

void add_add(Commands& commands, CLI::App* files) {
  struct NewFile {
    std::string id, checksum;
    std::int64_t size = 0;
    std::vector<std::string> copies;
  };
  auto given = std::make_shared<NewFile>();
  CLI::App* command = commands.add(files, "add", "Registers a file that lies on tapes.",
                                   "reclaim files add f1 --size 12 --checksum adler32:1e0b0402 --copy V00001:3 --copy V00002:8",
                                   [given](Session& session) -> Status {
                                     wire::Json body{{"id", given->id}, {"size", given->size}, {"checksum", given->checksum}};
                                     body["copies"] = TRY(json_of(given->copies));
                                     return session.change("POST", kFiles, body, file_view());
                                   });
  add_id(command, given->id);
  command->add_option("--size", given->size, "In bytes")->required()->check(CLI::Range(std::int64_t{0}, kSizeMax));
  command->add_option("--checksum", given->checksum, "adler32: and 8 hexadecimal digits")->required();
  add_copies(command, given->copies)->required();
}

void add_set_copies(Commands& commands, CLI::App* files) {
  struct Changed {
    std::string id;
    std::vector<std::string> copies;
  };
  auto given = std::make_shared<Changed>();
  CLI::App* command = commands.add(files, "set-copies", "Says anew where all copies of a file lie.",
                                   "reclaim files set-copies f1 --copy V00002:8 --copy V00003:1", [given](Session& session) -> Status {
                                     wire::Json body;
                                     body["copies"] = TRY(json_of(given->copies));
                                     return session.change("PUT", path_of(given->id), body, file_view());
                                   });
  add_id(command, given->id);
  add_copies(command, given->copies)->required();
}

void add_list(Commands& commands, CLI::App* files) {
  auto vid = std::make_shared<std::string>();
  commands
      .add(files, "list", "Lists all files, or those on one tape in the order in which they lie there.", "reclaim files list --vid V00001",
           [vid](Session& session) {
             return session.list(kFiles + (vid->empty() ? "" : "?vid=" + url_encoded(*vid)), "files", file_view());
           })
      ->add_option("--vid", *vid, "Those on one tape")
      ->check(name_check());
}

void add_import(Commands& commands, CLI::App* files) {
  auto path = std::make_shared<std::string>();
  CLI::App* command =
      commands.add(files, "import",
                   "Registers the files that a CSV lists. Its first line is id,size,checksum,copies; copies are VID:FSEQ with "
                   "a space between. What is there already with equal content stays: importing again goes on.",
                   "reclaim files import catalogue.csv", [path](Session& session) { return import_csv(session, *path); });
  command->add_option("CSV", *path, "The file to read")->required()->check(CLI::ExistingFile);
}

}  // namespace

void add_file_commands(Commands& commands, const OpenLibrary& open_library) {
  CLI::App* files = commands.group(nullptr, "files", "The files of the archive, and the tapes that they lie on.");
  add_list(commands, files);
  auto shown = std::make_shared<std::string>();
  add_id(commands.add(files, "show", "Shows all that is known of one file.", "reclaim files show f1",
                      [shown](Session& session) { return session.show(path_of(*shown)); }),
         *shown);
  add_add(commands, files);
  add_set_copies(commands, files);
  add_import(commands, files);
  if (open_library) add_archive_command(commands, files, open_library);
  auto removed = std::make_shared<std::string>();
  add_id(commands.add(files, "remove", "Removes a file from the catalogue. What lies on tape is left as it is.", "reclaim files remove f1",
                      [removed](Session& session) { return session.change("DELETE", path_of(*removed), {}, file_view()); }),
         *removed);
}

}  // namespace reclaim::cli
