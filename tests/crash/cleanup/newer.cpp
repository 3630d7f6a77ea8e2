#include "crash/cleanup/newer.hpp"

#include <google/protobuf/empty.pb.h>

#include "stored/envelope.hpp"

namespace reclaim::test {
namespace {

constexpr std::uint16_t kFormat = 1;

}  // namespace

std::string in_newer_format(const ports::ObjectName& name, const std::string& bytes) {
  google::protobuf::Empty message;  // all fields are unknown to it, and kept
  stored::open(name.str(), kFormat, bytes, message).value();
  return stored::seal(name.str(), kFormat + 1, message);
}

}  // namespace reclaim::test
