#include "measure.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <memory>

namespace reclaim::bench {
namespace {

std::string first_line_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  char line[256] = "";
  if (pipe == nullptr || std::fgets(line, sizeof line, pipe.get()) == nullptr) return "unknown";
  const std::string text(line);
  return text.substr(0, text.find('\n'));
}

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(": ") + 2);
  }
  return "unknown";
}

double cpu_ms() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto ms = [](const timeval& at) { return static_cast<double>(at.tv_sec) * 1e3 + static_cast<double>(at.tv_usec) / 1e3; };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

std::string cell(const wire::Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_float() ? fmt::format("{:.3f}", value.get<double>()) : value.dump();
}

}  // namespace

std::vector<test::FleetEngine> engines(const Options& options) {
  if (options.engine == "sqlite") return {test::FleetEngine::kSqlite};
  if (options.engine == "postgres") return {test::FleetEngine::kPostgres};
  return {test::FleetEngine::kSqlite, test::FleetEngine::kPostgres};
}

std::string name_of(test::FleetEngine engine) { return engine == test::FleetEngine::kSqlite ? "sqlite" : "postgres"; }

std::string durability(test::FleetEngine engine, const test::FleetStore& store) {
  if (engine == test::FleetEngine::kSqlite) return "synchronous=FULL, WAL";
  return "fsync=" + store.execute("SHOW fsync") + ", synchronous_commit=" + store.execute("SHOW synchronous_commit");
}

Spread spread_of(const std::vector<double>& values) { return {percentile(values, 0.5), percentile(values, 0), percentile(values, 1)}; }

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const auto at = static_cast<std::size_t>(std::lround(share * static_cast<double>(values.size() - 1)));
  return values.at(at);
}

Took took(const Clock& clock, int times, const std::function<void()>& work) {
  const double cpu_before = cpu_ms();
  const Instant before = clock.now();
  for (int i = 0; i < times; ++i) work();
  const auto wall = static_cast<double>((clock.now() - before).count());
  return {wall / times, (cpu_ms() - cpu_before) / times};
}

wire::Json provenance() {
  wire::Json json;
  json["commit"] = first_line_of("git -C " RECLAIM_SOURCE_DIR " rev-parse --short=12 HEAD 2>/dev/null");
  json["machine"] = {{"cores", ::sysconf(_SC_NPROCESSORS_ONLN)}, {"cpu", cpu_model()}};
  return json;
}

void print(const Options& options, const std::string& title, const std::vector<wire::Json>& rows, const std::vector<std::string>& columns) {
  wire::Json all = provenance();
  if (options.output == "json") {
    all["bench"] = title;
    all["rows"] = rows;
    fmt::print("{}\n", all.dump(2));
    return;
  }
  fmt::print("{}, commit {}, {} cores, {}\n", title, cell(all["commit"]), cell(all["machine"]["cores"]), cell(all["machine"]["cpu"]));
  std::vector<std::size_t> widths;
  for (const std::string& column : columns) {
    std::size_t width = column.size();
    for (const wire::Json& row : rows) width = std::max(width, cell(row.at(column)).size());
    widths.push_back(width);
  }
  for (std::size_t i = 0; i < columns.size(); ++i) fmt::print("{:>{}}  ", columns[i], widths[i]);
  fmt::print("\n");
  for (const wire::Json& row : rows) {
    for (std::size_t i = 0; i < columns.size(); ++i) fmt::print("{:>{}}  ", cell(row.at(columns[i])), widths[i]);
    fmt::print("\n");
  }
}

}  // namespace reclaim::bench
