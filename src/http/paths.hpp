// Which route a method and a path mean. A pattern is a path whose `{name}` segments stand for any one segment that is not empty.
// No two patterns of one method may fit the same path: the first one added is taken.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reclaim::http {

struct Found {
  bool path_known = false;
  int route = -1;                       // the number that add() gave it; -1: the path is unknown or does not answer this method
  std::vector<std::string> parameters;  // one per `{name}`, in order
  std::vector<std::string> allowed;     // where the method is the trouble: those that the path answers
};

class Paths {
 public:
  // Numbers routes from 0. HEAD is answered wherever GET is.
  int add(std::string_view method, std::string_view pattern);
  Found find(std::string_view method, const std::vector<std::string>& segments) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;
  };
  std::vector<Route> routes_;
};

}  // namespace reclaim::http
