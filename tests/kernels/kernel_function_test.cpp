#include "kernmill/kernels/kernel_function.hpp"

#include <numeric>

#include "device_test.hpp"
#include "kernmill/kernels/class_sums.hpp"
#include "kernmill/reference/kernel_functions.hpp"

namespace kernmill::testing {
namespace {

using kernels::KernelFunction;
using kernels::KernelType;

template <class Space>
class KernelFunctions : public ::testing::Test {
 protected:
  using Numbers = Kokkos::View<std::size_t*, Kokkos::LayoutRight, typename Space::memory_space>;

  static Numbers numbers(const std::vector<std::size_t>& values) {
    Numbers out("numbers", values.size());
    Kokkos::deep_copy(out, Kokkos::View<const std::size_t*, Kokkos::LayoutRight, Kokkos::HostSpace>(
                               values.data(), values.size()));
    return out;
  }
  static Numbers all(std::size_t count) {
    std::vector<std::size_t> values(count);
    std::iota(values.begin(), values.end(), std::size_t{0});
    return numbers(values);
  }
  static kernels::KernelRows<Space> rows(const reference::Matrix& source,
                                         const std::vector<std::size_t>& chosen, std::size_t tile) {
    const auto out = kernels::make_kernel_rows<Space>(chosen.size(), source.columns, tile);
    kernels::take_rows<Space>(Space(), to_device<Space>(source), numbers(chosen), out);
    return out;
  }
  static std::vector<std::size_t> range(std::size_t first, std::size_t count) {
    std::vector<std::size_t> values(count);
    std::iota(values.begin(), values.end(), first);
    return values;
  }
  static std::vector<double> matrix(const KernelFunction& function, const kernels::KernelRows<Space>& x,
                                    const kernels::KernelRows<Space>& y) {
    const auto out = kernels::make_matrix<Space>(x.count, y.count);
    const auto tile = kernels::make_matrix<Space>(kernels::kernel_tile_rows, kernels::kernel_tile_columns);
    kernels::kernel_matrix<Space>(Space(), function, x, y, tile, all(x.count), out);
    return to_host(out);
  }
  /// Of all rows of two matrices.
  static std::vector<double> matrix(const KernelFunction& function, const reference::Matrix& x,
                                    const reference::Matrix& y) {
    return matrix(function, rows(x, range(0, x.rows), kernels::kernel_tile_rows),
                  rows(y, range(0, y.rows), kernels::kernel_tile_columns));
  }
};
TYPED_TEST_SUITE(KernelFunctions, Devices);

TYPED_TEST(KernelFunctions, AgreeWithTheReferenceAcrossTiles) {
  const auto x = random_matrix(70, 13, 1), y = random_matrix(300, 13, 2);
  expect_near(this->matrix({KernelType::linear, 1, 0, 1}, x, y), reference::linear_kernel(x, y).values);
  expect_near(this->matrix({KernelType::rbf, 0.02, 0, 1}, x, y), reference::rbf_kernel(x, y, 0.02).values);
  for (const unsigned degree : {1U, 2U, 3U, 6U})
    expect_near(this->matrix({KernelType::polynomial, 0.1, 1.5, degree}, x, y),
                reference::polynomial_kernel(x, y, 0.1, 1.5, degree).values, 1e-11);
}

TYPED_TEST(KernelFunctions, AreOneOfARowWithItself) {
  const auto x = random_matrix(5, 40, 1);
  const auto values = this->matrix({KernelType::rbf, 1e6, 0, 1}, x, x);
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::size_t j = 0; j < 5; ++j) EXPECT_NEAR(values[i * 5 + j], i == j ? 1.0 : 0.0, 1e-5);
  }
}

// What a cache and any number of ranks rely on: the lone value, and the same among others.
TYPED_TEST(KernelFunctions, HaveBitsThatDependOnTheTwoRowsAlone) {
  for (const std::size_t features : {1U, 7U, 64U, 301U}) {
    const auto data = random_matrix(400, features, 3);
    const KernelFunction function{KernelType::rbf, 0.1 / static_cast<double>(features), 0, 1};
    const auto whole = this->matrix(function, data, data);
    const auto some = std::vector<std::size_t>{399, 3, 64, 255, 256, 0};
    const auto few = this->matrix(function, this->rows(data, some, kernels::kernel_tile_rows),
                                  this->rows(data, some, kernels::kernel_tile_columns));
    for (std::size_t i = 0; i < some.size(); ++i) {
      for (std::size_t j = 0; j < some.size(); ++j) {
        EXPECT_EQ(few[i * some.size() + j], whole[some[i] * 400 + some[j]]);
        EXPECT_EQ(few[i * some.size() + j], few[j * some.size() + i]);
      }
    }
  }
}

TYPED_TEST(KernelFunctions, AddUpForEachClassOfSupportVectors) {
  const auto values = random_matrix(9, 12, 1), coefficients = random_matrix(12, 2, 2);
  const std::vector<std::size_t> begins{0, 5, 5, 12};
  const auto sums = kernels::make_matrix<TypeParam>(9, 6);
  kernels::class_sums<TypeParam>(TypeParam(), to_device<TypeParam>(values),
                                 to_device<TypeParam>(coefficients), this->numbers(begins), sums);
  expect_near(to_host(sums), reference::class_sums(values, coefficients, begins).values);
}

}  // namespace
}  // namespace kernmill::testing
