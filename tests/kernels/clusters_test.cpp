#include "kernmill/kernels/clusters.hpp"

#include <cmath>

#include "device_test.hpp"
#include "kernmill/reference/clusters.hpp"

namespace kernmill::testing {
namespace {

template <class Space>
class Clusters : public ::testing::Test {
 protected:
  /// Rows and centers of all of them, and what is known of the rows.
  struct World {
    reference::Matrix rows, centers;
    kernels::Matrix<Space> on_device;
    kernels::Bounds<Space> bounds;
    kernels::Labels<Space> changed;
  };
  static World world(std::size_t rows, std::size_t features, std::size_t centers) {
    World made{random_matrix(rows, features, 1),
               random_matrix(centers, features, 2),
               {},
               {kernels::Labels<Space>("labels", rows), kernels::Vector<Space>("upper", rows),
                kernels::Vector<Space>("lower", rows)},
               kernels::Labels<Space>("changed", centers)};
    made.on_device = to_device<Space>(made.rows);
    Kokkos::deep_copy(made.bounds.labels, -1);
    return made;
  }
  static kernels::Bounds<Space> copy_of(const kernels::Bounds<Space>& bounds) {
    return {to_device<Space>(to_host(bounds.labels)), to_device<Space>(to_host(bounds.upper)),
            to_device<Space>(to_host(bounds.lower))};
  }
  /// Moves the centers by up to `most`, assigns, and compares with the oracle. Returns the unsettled rows.
  static std::size_t step(World& world, double most, std::uint64_t stream) {
    const std::size_t count = world.centers.rows, features = world.centers.columns;
    std::vector<double> drifts(count, 0.0), gaps(count, 0.0);
    kernels::Motion<Space> motion;
    for (std::size_t c = 0; c < count; ++c) {
      double squared = 0;
      for (std::size_t j = 0; j < features; ++j) {
        const double by = most * (kernels::uniform(3, stream, c * features + j) - 0.5);
        world.centers(c, j) += by;
        squared += by * by;
      }
      drifts[c] = std::sqrt(squared) * (1 + 1e-12);
      motion.largest = motion.second = std::max(motion.largest, drifts[c]);
    }
    motion.furthest = -1;
    motion.drifts = to_device<Space>(drifts);
    motion.half_gaps = to_device<Space>(gaps);
    const std::vector<double> shift(features, 0.25);
    std::vector<double> less = world.centers.values;
    for (double& value : less) value -= 0.25;
    const auto centers = kernels::make_centers<Space>(less, shift);
    const double error = 1e-12;
    const std::size_t unsettled = kernels::move_bounds(Space(), motion, error, world.bounds);
    const auto plain = copy_of(world.bounds);
    kernels::detail::assign_on_device<Space>(Space(), world.on_device, centers, motion.half_gaps, error,
                                             plain, world.changed);
    kernels::assign<Space>(Space(), world.on_device, centers, motion.half_gaps, error, world.bounds,
                           world.changed);
    const auto labels = to_host(world.bounds.labels);
    EXPECT_EQ(to_host(plain.labels), labels);
    const auto upper = to_host(world.bounds.upper), lower = to_host(world.bounds.lower);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const auto nearest = reference::nearest_center(world.rows, i, world.centers);
      EXPECT_EQ(labels[i], nearest.which) << "row " << i;
      EXPECT_GE(upper[i] + 1e-9, std::sqrt(nearest.first));
      EXPECT_LE(lower[i] - 1e-9, std::sqrt(nearest.second));
    }
    return unsettled;
  }
};
TYPED_TEST_SUITE(Clusters, Devices);

TYPED_TEST(Clusters, EveryRowGetsItsNearestCenterWhateverTheShape) {
  for (const std::size_t centers : {1U, 2U, 7U, 8U, 9U, 64U, 65U, 90U})
    for (const std::size_t features : {1U, 3U, 16U}) {
      auto world = TestFixture::world(300, features, centers);
      TestFixture::step(world, 0, 0);
    }
}

TYPED_TEST(Clusters, BoundsLeaveTheLabelsAsTheyWouldBeWithoutThem) {
  auto world = TestFixture::world(2000, 5, 20);
  EXPECT_EQ(TestFixture::step(world, 0, 0), 2000U);
  std::size_t unsettled = 0;
  for (std::uint64_t i = 1; i <= 20; ++i)
    unsettled += TestFixture::step(world, 0.3 / static_cast<double>(i), i);
  EXPECT_LT(unsettled, 20 * 2000U);
}

TYPED_TEST(Clusters, OfTwoCentersAtOnePlaceTheFirstIsTaken) {
  auto world = TestFixture::world(100, 4, 12);
  for (std::size_t j = 0; j < 4; ++j) world.centers(11, j) = world.centers(9, j) = world.centers(2, j);
  TestFixture::step(world, 0, 0);
  for (const int label : to_host(world.bounds.labels)) EXPECT_TRUE(label != 9 && label != 11);
}

TYPED_TEST(Clusters, SumsOfTheClustersThatAreWantedAgreeWithTheReference) {
  auto world = TestFixture::world(500, 3, 6);
  TestFixture::step(world, 0, 0);
  const std::vector<double> zeros(3, 0.0);
  const auto centers = kernels::make_centers<TypeParam>(world.centers.values, zeros);
  const auto sums = to_device<TypeParam>(std::vector<double>(24, 7.0));
  kernels::cluster_sums<TypeParam>(TypeParam(), world.on_device, centers, world.bounds.labels,
                                   to_device<TypeParam>(std::vector<int>{1, 1, 0, 1, 1, 1}), {}, sums);
  auto expected = reference::cluster_sums(world.rows, to_host(world.bounds.labels), 6);
  for (const std::size_t kept : {6U, 7U, 8U, 20U}) expected[kept] = 7.0;
  expect_near(to_host(sums), expected);
  const auto plain = to_device<TypeParam>(std::vector<double>(24, 7.0));
  kernels::detail::cluster_sums_on_device<TypeParam>(
      TypeParam(), world.on_device, centers, world.bounds.labels,
      to_device<TypeParam>(std::vector<int>{1, 1, 0, 1, 1, 1}), {}, plain);
  EXPECT_EQ(to_host(plain), to_host(sums));
}

// Of weights 0, 1 and 2: a row that many times.
TYPED_TEST(Clusters, SumsCountARowByItsWeight) {
  auto world = TestFixture::world(60, 3, 2);
  TestFixture::step(world, 0, 0);
  const std::vector<double> zeros(3, 0.0);
  const auto centers = kernels::make_centers<TypeParam>(world.centers.values, zeros);
  const std::vector<int> labels = to_host(world.bounds.labels);
  std::vector<double> weights, expected(8, 0.0);
  for (std::size_t i = 0; i < 60; ++i) {
    weights.push_back(static_cast<double>(i % 3));
    const auto c = static_cast<std::size_t>(labels[i]);
    for (std::size_t j = 0; j < 3; ++j) expected[3 * c + j] += weights[i] * world.rows(i, j);
    expected[6 + c] += weights[i];
  }
  const auto all = to_device<TypeParam>(std::vector<int>{1, 1});
  const auto sums = to_device<TypeParam>(std::vector<double>(8, 0.0)),
             plain = to_device<TypeParam>(std::vector<double>(8, 0.0));
  kernels::cluster_sums<TypeParam>(TypeParam(), world.on_device, centers, world.bounds.labels, all,
                                   to_device<TypeParam>(weights), sums);
  kernels::detail::cluster_sums_on_device<TypeParam>(
      TypeParam(), world.on_device, centers, world.bounds.labels, all, to_device<TypeParam>(weights), plain);
  expect_near(to_host(sums), expected);
  EXPECT_EQ(to_host(plain), to_host(sums));
}

}  // namespace
}  // namespace kernmill::testing
