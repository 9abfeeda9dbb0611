#pragma once
#include <cstdint>
#include <cstring>

#include "kernmill/kernels/for_each.hpp"
#include "kernmill/kernels/types.hpp"

namespace kernmill::kernels {

/// The nearest value that bfloat16, the upper half of a float32, can hold; of two as near the even one, as
/// IEEE 754 rounds. What is not a number stays that.
KOKKOS_INLINE_FUNCTION float as_bfloat16(float value) {
  if (value != value) return value;
  std::uint32_t bits = 0;
  memcpy(&bits, &value, sizeof(bits));
  bits = (bits + 0x7fffU + (bits >> 16U & 1U)) & 0xffff0000U;
  memcpy(&value, &bits, sizeof(bits));
  return value;
}

/// A copy of a matrix, its values rounded to bfloat16.
template <class Space>
Matrix<Space, float> rounded_to_bfloat16(const Space& space, ConstMatrix<Space, float> from) {
  const auto to = make_matrix<Space, float>(from.extent(0), from.extent(1));
  const float* const value = from.data();
  float* const rounded = to.data();
  for_each(
      space, "kernmill_bfloat16", to.size(),
      KOKKOS_LAMBDA(const std::size_t i) { rounded[i] = as_bfloat16(value[i]); });
  return to;
}

}  // namespace kernmill::kernels
