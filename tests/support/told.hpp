// What a test of crashes says when an invariant is broken: who was stopped where, and all that it had asked for.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "sim/crash.hpp"

namespace reclaim::testing_support {

inline void tell_if_failed(const std::string& who, const sim::Fault& fault) {
  if (testing::Test::HasFailure()) ADD_FAILURE() << who << " is " << in_words(fault);
}

}  // namespace reclaim::testing_support
