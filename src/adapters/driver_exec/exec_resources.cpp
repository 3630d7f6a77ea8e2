#include "adapters/driver_exec/exec_resources.hpp"

#include <algorithm>
#include <set>

namespace reclaim::driver_exec {
namespace {

constexpr const char* kManagesFile = "manages";
constexpr std::size_t kManagesMax = 256;
constexpr std::size_t kShortAnswerMax = 4096;
constexpr std::size_t kListAnswerMax = std::size_t{64} << 20U;
constexpr std::size_t kListedMax = 200'000;
constexpr std::size_t kNameMax = 1024;
constexpr std::size_t kTextMax = 1024;
constexpr std::size_t kWordsMax = 400;

bool is_printable(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; }

// The last line that the program wrote to stderr, short and without control characters.
std::string last_words(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  text.remove_prefix(text.rfind('\n') == std::string_view::npos ? 0 : text.rfind('\n') + 1);
  std::string words(text.substr(0, kWordsMax));
  std::ranges::replace_if(
      words, [](char c) { return !is_printable(c); }, '?');
  return words;
}

Result<std::string> read_manages(const wire::Json& answer, ResourceKind kind) {
  wire::ObjectReader reader(answer, "identity");
  const std::int64_t protocol = reader.required_integer("protocol", 1, 1'000'000);
  const std::string managed_kind = reader.required_text("kind", kTextMax);
  std::string manages = reader.required_text("manages", kManagesMax);
  if (const Status read = reader.so_far(); !read.ok()) return invalid("identity", read.error().field + " " + read.error().message);
  if (protocol != kProtocol) {
    return invalid("identity", "it speaks protocol " + std::to_string(protocol) + ", this worker " + std::to_string(kProtocol));
  }
  if (managed_kind != name_of(kind)) return invalid("identity", "it manages " + managed_kind + "s, not " + std::string(plural_of(kind)));
  if (manages.empty() || !std::ranges::all_of(manages, is_printable)) {
    return invalid("identity", "`manages` must be one line of 1 to " + std::to_string(kManagesMax) + " bytes");
  }
  return manages;
}

Result<std::vector<ports::Listed>> read_list(const wire::Json& answer) {
  wire::ObjectReader reader(answer, "list");
  const wire::Json* resources = reader.array("resources", kListedMax);
  if (const Status read = reader.so_far(); !read.ok()) return invalid("list", read.error().field + " " + read.error().message);
  if (resources == nullptr) return invalid("list", "`resources` is missing");
  std::vector<ports::Listed> listed;
  std::set<std::string_view> seen;
  listed.reserve(resources->size());
  for (const wire::Json& resource : *resources) {
    if (!resource.is_object()) return invalid("list", "an entry of `resources` is not an object");
    wire::ObjectReader entry(resource, "resources[" + std::to_string(listed.size()) + "]");
    std::string handle = entry.required_text("handle", kNameMax);
    std::string error = entry.text("error", kTextMax).value_or("");
    if (const Status read = entry.so_far(); !read.ok()) return invalid("list", read.error().field + " " + read.error().message);
    listed.push_back({std::move(handle), std::move(error)});
    if (!seen.insert(listed.back().name).second) return invalid("list", "it names " + listed.back().name + " twice");
  }
  return listed;
}

}  // namespace

ExecResources::ExecResources(ExecOptions options, system::Fd memory, std::optional<std::string> manages, const Clock& clock)
    : options_(std::move(options)), memory_(std::move(memory)), clock_(clock), recognised_(std::make_unique<Recognised>()) {
  recognised_->manages = std::move(manages);
}

Result<ExecResources> ExecResources::open(ExecOptions options, const Clock& clock) {
  system::Fd memory = TRY(system::open_directory(options.memory));
  auto manages = system::read_file_at(memory.get(), kManagesFile, kManagesMax);
  if (!manages.ok() && manages.error().kind != Error::Kind::kNotFound) return manages.error();
  std::optional<std::string> known;
  if (manages.ok()) known = std::move(manages).value();
  return ExecResources(std::move(options), std::move(memory), std::move(known), clock);
}

Error ExecResources::failed(const std::string& verb, const std::string& what) const {
  return unavailable(options_.program + " " + verb + ": " + what);
}

Result<wire::Json> ExecResources::ask(const std::vector<std::string>& words, std::size_t answer_max, Instant deadline) const {
  system::Program program{.argv = {options_.program}, .output_max = answer_max, .ends_strays = true};
  program.argv.insert(program.argv.end(), words.begin(), words.end());
  if (options_.lock_fd >= 0) program.keep_open.push_back(options_.lock_fd);
  const auto ended = system::run_process(program, clock_, deadline);
  if (!ended.ok()) return failed(words.front(), ended.error().message);
  const std::string said = last_words(ended.value().errors);
  if (ended.value().exit_code != 0) {
    return failed(words.front(), "exit code " + std::to_string(ended.value().exit_code) + (said.empty() ? "" : ": " + said));
  }
  auto answer = wire::parse_json(ended.value().output);
  if (!answer.ok()) return failed(words.front(), "its answer is not JSON: " + answer.error().message);
  if (!answer.value().is_object()) return failed(words.front(), "its answer is not a JSON object");
  return answer;
}

Result<std::string> ExecResources::ask_what_it_manages(Instant deadline) const {
  const Instant own_deadline = std::min(deadline, clock_.now() + options_.identity_timeout);
  auto manages = read_manages(TRY(ask({"identity"}, kShortAnswerMax, own_deadline)), options_.kind);
  if (!manages.ok()) return failed("identity", manages.error().message);
  return manages;
}

Status ExecResources::recognise(Instant deadline) {
  auto manages = ask_what_it_manages(deadline);
  const std::lock_guard lock(recognised_->mutex);
  recognised_->now = false;
  if (!manages.ok()) return manages.error();
  if (!recognised_->manages) {
    TRY(system::write_file_at(memory_.get(), kManagesFile, manages.value(), 0600));
    recognised_->manages = manages.value();
  }
  if (manages.value() != *recognised_->manages) {
    return conflict(options_.program + " manages \"" + manages.value() + "\" now, it was \"" + *recognised_->manages +
                    "\": nothing of it is judged or destroyed. If that is meant, remove " + options_.memory + "/" + kManagesFile);
  }
  recognised_->now = true;
  return done();
}

Result<std::vector<ports::Listed>> ExecResources::list() {
  TRY(recognise(clock_.now() + options_.identity_timeout));
  auto listed = read_list(TRY(ask({"list"}, kListAnswerMax, clock_.now() + options_.list_timeout)));
  if (!listed.ok()) return failed("list", listed.error().message);
  return listed;
}

Status ExecResources::destroy(const Handle& handle, Instant deadline) {
  if (!is_well_formed_name(handle.str())) return invalid("handle", "is not a handle: it is not given to " + options_.program);
  bool is_recognised = false;
  {
    const std::lock_guard lock(recognised_->mutex);
    is_recognised = recognised_->now;
  }
  if (!is_recognised) TRY(recognise(deadline));
  const wire::Json answer = TRY(ask({"destroy", handle.str()}, kShortAnswerMax, deadline));
  if (!answer.contains("gone") || answer["gone"] != true) return failed("destroy", "it does not say that " + handle.str() + " is gone");
  return done();
}

}  // namespace reclaim::driver_exec
