// What a worker reads on its machine: what it wrote down itself, and what container runtimes did.
#include "adapters/runtime_oci/container_record.hpp"
#include "base/check.hpp"
#include "decoders.hpp"
#include "worker/agent.hpp"
#include "worker/roots.hpp"

namespace reclaim::fuzz {
namespace {

void container(std::string_view bytes) {
  for (const auto dialect : {runtime_oci::Dialect::kRunc, runtime_oci::Dialect::kCrun}) (void)runtime_oci::parse_record(bytes, dialect);
}

void marker(std::string_view bytes) { (void)worker::parse_marker(bytes); }

void answered(std::string_view bytes) {
  const auto parsed = worker::parse_answered(bytes);
  if (!parsed.ok()) return;
  const auto again = worker::parse_answered(worker::to_text(parsed.value()));
  check(again.ok() && again.value() == parsed.value(), "what a worker remembers can be written and read again");
}

std::vector<std::string> containers() {
  return {
      R"({"id":"c1","init_process_pid":17,"init_process_start":4711,"cgroup_paths":{"":"/sys/fs/cgroup/reclaim/c1"},"config":{"cgroups":{"path":"/reclaim/c1"}}})",
      R"({"pid":17,"process-start-time":4711,"cgroup-path":"/reclaim/c1","scope":null,"rootfs":"/r","bundle":"/b"})"};
}

std::vector<std::string> markers() {
  return {R"({"incarnation":"7d1c9f0e-7b9e-4e0a-9d6c-0f1e2d3c4b5a","worker":"w1"})", R"({"incarnation":"i"})"};
}
std::vector<std::string> answers() { return {R"({"lineage":"l","session":"s","sequence":3})"}; }

const Known kKnown{{"container", container, containers}, {"marker", marker, markers}, {"answered", answered, answers}};

}  // namespace
}  // namespace reclaim::fuzz
