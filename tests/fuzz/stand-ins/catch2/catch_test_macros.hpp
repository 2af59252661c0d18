#pragma once

#include <cstdio>
#include <cstdlib>

/// In place of Catch2, for the tests' helpers in a fuzzer: what fails ends the process, which libFuzzer
/// reports with the bytes that led there.
#define REQUIRE(condition)                                                         \
  do {                                                                             \
    if (!(condition)) {                                                            \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                \
    }                                                                              \
  } while (false)
#define CHECK(condition) REQUIRE(condition)
#define INFO(message) static_cast<void>(0)
