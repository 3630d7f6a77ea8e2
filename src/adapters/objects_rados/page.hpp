// The smallest of many keys that come in no order, in memory for two pages of them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace reclaim::objects_rados {

class Page {
 public:
  // The first `limit`, at least 1, after `after`.
  Page(std::string after, std::size_t limit) : after_(std::move(after)), limit_(limit) {}

  void add(std::string key);
  // Ascending, each once.
  std::vector<std::string> take();

 private:
  void cut();

  const std::string after_;
  const std::size_t limit_;
  std::vector<std::string> keys_;
  bool full_ = false;  // `limit_` keys were found, and last_ is the greatest of them
  std::string last_;
};

}  // namespace reclaim::objects_rados
