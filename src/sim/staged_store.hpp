// An object store on a stage: before each call somebody else may go on. A batch, whose calls promise no order, is one call.
#pragma once

#include <string>
#include <vector>

#include "ports/object_store.hpp"
#include "sim/stage.hpp"

namespace reclaim::sim {

class StagedStore : public ports::ObjectStore {
 public:
  StagedStore(ports::ObjectStore& inner, Stage& stage) : inner_(inner), stage_(stage) {}

  std::vector<ports::StoreAnswer> run(std::span<const ports::StoreCall> calls) override;
  Result<std::vector<std::string>> list(const std::string& kind, const std::string& after, std::size_t limit) override;

 private:
  ports::ObjectStore& inner_;
  Stage& stage_;
};

}  // namespace reclaim::sim
