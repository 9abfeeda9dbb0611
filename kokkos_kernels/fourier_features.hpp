#pragma once
#include "kernmill/kernels/gemm.hpp"
#include "kernmill/kernels/math.hpp"
#include "kernmill/kernels/random.hpp"

/// Random Fourier features (Rahimi and Recht: Random features for large-scale kernel machines, NIPS 2007):
/// z(x) whose products approximate a kernel, z(x) . z(y) ~ exp(-gamma |x - y|^2). Of each frequency there are
/// the cosine and the sine: the product is then the mean of the cosines of w . (x - y), and 1 where x = y.
namespace kernmill::kernels {

/// frequencies(j, k), d x m: normal with the variance 2 gamma, by (seed, j, k) alone (Box and Muller, 1958).
template <class Space>
void draw_frequencies(const Space& space, std::uint64_t seed, double gamma, Matrix<Space> frequencies) {
  constexpr double two_pi = 6.283185307179586476925286766559;
  const std::size_t columns = frequencies.extent(1);
  const double deviation = math::sqrt(2 * gamma);
  Kokkos::parallel_for(
      "kernmill_draw_frequencies", Range<Space>(space, 0, frequencies.extent(0) * columns),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t j = index / columns, k = index % columns;
        const double u = 1 - uniform(seed, j, 2 * k), v = uniform(seed, j, 2 * k + 1);  // u in (0, 1]
        frequencies(j, k) = deviation * math::sqrt(-2 * math::log(u)) * math::cos(two_pi * v);
      });
}

/// z (n x 2m + 1) of the products x . w (n x m): m cosines, m sines, each over sqrt(m), and a constant 1.
template <class Space>
void fourier_features(const Space& space, ConstMatrix<Space> products, Matrix<Space> z) {
  const std::size_t m = products.extent(1);
  const double scale = 1 / math::sqrt(static_cast<double>(m));
  Kokkos::parallel_for(
      "kernmill_fourier_features", Range<Space>(space, 0, products.extent(0) * m),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / m, k = index % m;
        z(i, k) = scale * math::cos(products(i, k));
        z(i, m + k) = scale * math::sin(products(i, k));
        if (k == 0) z(i, 2 * m) = 1;
      });
}

}  // namespace kernmill::kernels
