// What the client reads: requests from files and pipes, words of its command line, answers of a server; and the target of a request.
#include "decoders.hpp"

#include <sstream>

#include "base/check.hpp"
#include "cli/api.hpp"
#include "cli/catalogue_csv.hpp"
#include "cli/request_lines.hpp"
#include "cli/table.hpp"
#include "http/target.hpp"

namespace reclaim::fuzz {
namespace {

void requests(std::string_view bytes) {
  std::istringstream text{std::string(bytes)};
  (void)cli::read_request_lines(text);
}

void copy(std::string_view bytes) {
  const auto parsed = cli::parse_copy(bytes);
  if (!parsed.ok()) return;
  const std::string written = parsed.value().at("vid").get<std::string>() + ":" + parsed.value().at("fseq").dump();
  const auto again = cli::parse_copy(written);
  check(again.ok() && again.value() == parsed.value(), "a copy is the same when it is written again");
}

// An answer of any shape can be shown.
void shown(std::string_view bytes) {
  const auto read = cli::read_body(bytes);
  if (!read.ok()) return;
  constexpr int kWidth = 80;
  (void)cli::render_fields(read.value(), kWidth);
}

void target(std::string_view bytes) {
  const auto parsed = http::parse_target(bytes);
  if (!parsed.ok()) return;
  std::string path;
  for (const std::string& segment : parsed.value().segments) path += "/" + http::percent_encode(segment);
  const auto again = http::parse_target(path);
  check(again.ok() && again.value().segments == parsed.value().segments, "a path is the same when it is escaped again");
}

void catalogue(std::string_view bytes) {
  std::istringstream text{std::string(bytes)};
  cli::CatalogueCsv csv(text);
  for (auto next = csv.next(); next.ok() && next.value().has_value(); next = csv.next()) continue;
}

std::vector<std::string> targets() { return {"/api/v1/workers/w%201/containers?limit=10&after=a", "http://h/a/../b//c"}; }
std::vector<std::string> catalogues() {
  return {"id,size,checksum,copies\nf1,12,adler32:1e0b0402,V00001:3 V00002:8\n", "id,size,checksum,copies\r\n\"f,1\",12,,V1:1\r\n"};
}
std::vector<std::string> lines() {
  return {
      "{\"file\":\"f1\",\"destination\":\"out/1\",\"report_to\":\"http://h/r\",\"priority\":3}\n{\"file\":\"f2\",\"destination\":\"out/"
      "2\"}\n",
      "file,destination\nf1,out/1\n\"f\"\"2\",out/2\n"};
}
std::vector<std::string> copies() { return {"V00001:3", "V1:0", ":", "V1:18446744073709551616"}; }
std::vector<std::string> bodies() {
  return {
      R"({"id":"17-1-3","state":"queued","copies":[{"vid":"V1","fseq":3}],"since":"2026-01-01T00:00:00Z","bytes":123456789,"errors":[]})",
      R"([1,"\u0000\u202e",null,{"a":{"b":{}}}])"};
}

const Known kKnown{{"requests", requests, lines},
                   {"copy", copy, copies},
                   {"shown", shown, bodies},
                   {"target", target, targets},
                   {"catalogue", catalogue, catalogues}};

}  // namespace

}  // namespace reclaim::fuzz
