#pragma once

#include <catch2/catch_test_macros.hpp>

#include "attention/status.hpp"

namespace attention::test {

/// A refusal has a code, and its text what came and what was wanted. Its argument is empty only of memory.
inline void requireSaysWhy(const Status& status) {
  REQUIRE(status.code() > ErrorCode::kOk && status.code() <= ErrorCode::kCorruptFile);
  REQUIRE(Message::latest()[0] != '\0');
  REQUIRE(status.argument()[0] != '\0' || status.code() == ErrorCode::kOutOfMemory);
}

}  // namespace attention::test
