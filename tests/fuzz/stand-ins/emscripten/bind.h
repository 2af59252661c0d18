#pragma once

/// In place of Embind, so that the bindings compile natively: a function's name is forgotten, and called from
/// nowhere but the fuzzer that includes their source.
namespace emscripten {
template <class Function>
void function(const char* /*name*/, Function /*function*/) {}
}  // namespace emscripten

#define EMSCRIPTEN_BINDINGS(name) [[maybe_unused]] inline void register_##name()
