#include "attention/tensor.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "case.hpp"

namespace attention::test {

TEST_CASE("products that do not fit are refused, unless a factor is zero", "[tensor]") {
  const size_t half = size_t{1} << (sizeof(size_t) * 4);
  CHECK(checkedProduct(std::vector<size_t>{3, 4, 5}) == 60);
  CHECK(checkedProduct(std::vector<size_t>{}) == 1);
  CHECK(!checkedProduct(std::vector<size_t>{half, half}).has_value());
  CHECK(checkedProduct(std::vector<size_t>{half, half, 0}) == 0);
}

TEST_CASE("contiguous strides", "[tensor]") {
  const TensorView view = TensorView::contiguous(nullptr, DType::kFloat32, {2, 3, 4});
  CHECK(view.strides[0] == 12);
  CHECK(view.strides[1] == 4);
  CHECK(view.strides[2] == 1);
  CHECK(view.count() == 24);
}

TEST_CASE("messages hold text, numbers and shapes, and are cut instead of overflowing", "[tensor]") {
  Message message;
  message << "got " << Shape{2, 3}.dims() << ", wanted " << INT64_MIN;
  CHECK(std::string(Message::latest()) == "got [2,3], wanted -9223372036854775808");
  for (int i = 0; i < 100; ++i) message << "0123456789";
  CHECK(std::string(Message::latest()).size() == 239);
}

}  // namespace attention::test
