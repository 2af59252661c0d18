#include "attention/arena.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "attention/output.hpp"
#include "case.hpp"

namespace attention::test {

TEST_CASE("arena memory is aligned, apart and kept between calls", "[arena]") {
  Arena arena;
  void* first = arena.allocate(1);
  void* second = arena.allocate(100000);
  void* third = arena.allocate(0);
  REQUIRE((first != nullptr && second != nullptr && third != nullptr));
  for (void* memory : {first, second, third}) CHECK(reinterpret_cast<uintptr_t>(memory) % 64 == 0);
  std::memset(first, 1, 1);
  std::memset(second, 2, 100000);
  CHECK(*static_cast<unsigned char*>(first) == 1);
  arena.reset();
  // The larger block is the one kept.
  CHECK(arena.allocate(100000) == second);
  CHECK(arena.highWater() >= 100064);
}

TEST_CASE("arena refuses sizes beyond the address space", "[arena]") {
  Arena arena;
  for (size_t bytes = SIZE_MAX - 200; bytes != 0; ++bytes) CHECK(arena.allocate(bytes) == nullptr);
  CHECK(arena.floats({SIZE_MAX / 2, 3}) == nullptr);
  CHECK(arena.floats({SIZE_MAX / 2}) == nullptr);
  CHECK(arena.floats({0, SIZE_MAX}) != nullptr);
}

TEST_CASE("an output is checked before anything is written", "[arena]") {
  Arena arena;
  Owned<float> memory{{2, 3}, std::vector<float>(6)};
  const TensorView input = memory.view();
  SECTION("shape") {
    CHECK(Output::into(input).resolve("out", {3, 2}, arena).code() == ErrorCode::kShapeMismatch);
  }
  SECTION("length") {
    CHECK(Output::ofLength(5).resolve("out", {2, 3}, arena).code() == ErrorCode::kShapeMismatch);
  }
  SECTION("onto an input") {
    CHECK(Output::into(input).resolve("out", {2, 3}, arena, {&input, 1}).code() ==
          ErrorCode::kInvalidArgument);
    CHECK(Output::into(input).resolve("out", {2, 3}, arena, {&input, 1}, Aliasing::kOntoFirst).ok());
  }
  SECTION("half onto an input") {
    std::vector<float> nine(9);
    const TensorView low = TensorView::contiguous(nine.data(), DType::kFloat32, {6});
    const TensorView high = TensorView::contiguous(nine.data() + 3, DType::kFloat32, {6});
    CHECK(Output::into(high).resolve("out", {6}, arena, {&low, 1}, Aliasing::kOntoFirst).code() ==
          ErrorCode::kInvalidArgument);
  }
}

}  // namespace attention::test
