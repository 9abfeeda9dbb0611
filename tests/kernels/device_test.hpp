#pragma once
#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "kernmill/kernels/random.hpp"
#include "kernmill/kernels/types.hpp"
#include "kernmill/reference/linear_algebra.hpp"

namespace kernmill::testing {

/// Every test runs on every device that this Kokkos has: the host, and the accelerator where there is one.
using Devices =
    std::conditional_t<std::is_same_v<kernels::Device, kernels::Host>, ::testing::Types<kernels::Host>,
                       ::testing::Types<kernels::Host, kernels::Device>>;

/// Random numbers in [-2, 2): others for another stream.
inline reference::Matrix random_matrix(std::size_t rows, std::size_t columns, std::uint64_t stream) {
  reference::Matrix matrix(rows, columns);
  for (std::size_t i = 0; i < matrix.values.size(); ++i) {
    matrix.values[i] = 4.0 * kernels::uniform(7, stream, i) - 2.0;
  }
  return matrix;
}
inline std::vector<double> random_vector(std::size_t size, std::uint64_t stream) {
  return random_matrix(1, size, stream).values;
}

template <class Space>
kernels::Matrix<Space> to_device(const reference::Matrix& matrix) {
  auto out = kernels::make_matrix<Space>(matrix.rows, matrix.columns);
  Kokkos::deep_copy(out,
                    kernels::ConstMatrix<kernels::Host>(matrix.values.data(), matrix.rows, matrix.columns));
  return out;
}
template <class Space>
kernels::Vector<Space> to_device(const std::vector<double>& values) {
  auto out = kernels::make_vector<Space>(values.size());
  Kokkos::deep_copy(out, kernels::host_vector(values.data(), values.size()));
  return out;
}
template <class Space>
kernels::Labels<Space> to_device(const std::vector<int>& values) {
  kernels::Labels<Space> out("labels", values.size());
  Kokkos::deep_copy(out, kernels::ConstLabels<kernels::Host>(values.data(), values.size()));
  return out;
}

/// The values of an array of any rank, in row-major order.
template <class Array>
std::vector<typename Array::non_const_value_type> to_host(const Array& array) {
  Kokkos::fence();
  const auto mirror = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), array);
  return {mirror.data(), mirror.data() + mirror.size()};
}

inline void expect_near(const std::vector<double>& values, const std::vector<double>& expected,
                        double tolerance = 1e-12) {
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_NEAR(values[i], expected[i], tolerance * std::max(1.0, std::abs(expected[i]))) << "at " << i;
  }
}

}  // namespace kernmill::testing
