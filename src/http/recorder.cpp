#include "http/recorder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "wire/json.hpp"

namespace reclaim::http {
namespace {

void hide_tokens(wire::Json& json) {
  if (json.is_object() && json.contains("token")) json["token"] = "hidden";
  for (wire::Json& item : json) {
    if (item.is_structured()) hide_tokens(item);
  }
}

std::string without_tokens(const std::string& body) {
  if (body.find("\"token\"") == std::string::npos) return body;
  Result<wire::Json> json = wire::parse_json(body);
  if (!json.ok()) return "";
  hide_tokens(json.value());
  return wire::to_text(json.value());
}

}  // namespace

Result<std::unique_ptr<Recorder>> Recorder::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (descriptor < 0) return invalid("record-exchanges", path + ": " + std::strerror(errno));
  return std::unique_ptr<Recorder>(new Recorder(descriptor));
}

Recorder::~Recorder() { ::close(descriptor_); }

void Recorder::record(std::string_view method, std::string_view target, const Reply& reply) {
  const std::string line = wire::to_text({{"method", method},
                                          {"path", target},
                                          {"status", reply.status},
                                          {"content_type", reply.content_type},
                                          {"body", without_tokens(reply.body)}}) +
                           '\n';
  // One write to a file opened for appending: lines of several threads do not mix.
  [[maybe_unused]] const ssize_t written = ::write(descriptor_, line.data(), line.size());
}

}  // namespace reclaim::http
