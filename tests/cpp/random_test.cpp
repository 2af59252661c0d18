#include <catch2/catch_test_macros.hpp>

#include "random_case.hpp"

namespace attention::test {

TEST_CASE("2,500 random calls against the double reference", "[random]") {
  Random random(20260101);
  double worst = 0;
  for (int at = 0; at < 2500; ++at) {
    const Sizes sizes = randomSizes(random, 200, 300);
    RandomCase made{makeCase(random, sizes), {}, {}, {}, {}, {}, {}, {}, {}, {}, {}};
    storeSome(random, made);
    addPosition(random, sizes, made);
    addMasks(random, sizes, made);
    addScores(random, sizes, made);
    made.attention.options.weights = static_cast<Stage>(between(random, 0, 4));
    made.attention.options.logSumExp = chance(random, 0.5);
    const bool isMapped = chance(random, 0.2);
    const AttentionOptions asked = isMapped ? withBlockMap(random, sizes, made) : made.attention.options;
    const AttentionCase::Errors errors = made.attention.run(asked);
    worst = std::max(worst, errors.output / made.attention.tolerance());
    INFO("case " << at);
    REQUIRE(errors.output <= made.attention.tolerance());
    // Scores, distances and masks up to 50 or so: each addition there rounds by up to 2e-6.
    REQUIRE(errors.weights <= 2e-5);
    REQUIRE(errors.logSumExp <= 2e-5);
  }
  // Kept in the log: how much of the tolerance is used.
  WARN("largest error: " << worst << " of the tolerance");
}

}  // namespace attention::test
