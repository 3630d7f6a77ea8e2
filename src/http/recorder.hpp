// Writes exchanges down, one JSON object a line: {"method","path","status","content_type","body"}. For diagnosis, and for the test
// that holds every response of a run against docs/openapi.yaml. Request bodies and headers are not written, and no token is: in a
// response every member named `token` is replaced.
//
// Who may call: any thread; lines never mix. A crash may cut the last line. A full disk loses lines, never replies.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "http/service.hpp"

namespace reclaim::http {

class Recorder {
 public:
  // Appends to `path`, made readable for its owner alone.
  static Result<std::unique_ptr<Recorder>> open(const std::string& path);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  void record(std::string_view method, std::string_view target, const Reply& reply);

 private:
  explicit Recorder(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace reclaim::http
