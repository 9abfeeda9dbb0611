#pragma once
#include <Kokkos_Core.hpp>
#include <math.h>

/// Kokkos gained math functions of its own only after 3.4; the C ones work on host and device alike.
namespace kernmill::kernels::math {

KOKKOS_INLINE_FUNCTION double exp(double x) {
  return ::exp(x);
}
KOKKOS_INLINE_FUNCTION float exp(float x) {
  return ::expf(x);
}
KOKKOS_INLINE_FUNCTION double log(double x) {
  return ::log(x);
}
KOKKOS_INLINE_FUNCTION float log(float x) {
  return ::logf(x);
}
/// log(1 + x), exact for small x.
KOKKOS_INLINE_FUNCTION double log1p(double x) {
  return ::log1p(x);
}
KOKKOS_INLINE_FUNCTION double sqrt(double x) {
  return ::sqrt(x);
}
KOKKOS_INLINE_FUNCTION float sqrt(float x) {
  return ::sqrtf(x);
}
KOKKOS_INLINE_FUNCTION double cos(double x) {
  return ::cos(x);
}
KOKKOS_INLINE_FUNCTION double sin(double x) {
  return ::sin(x);
}
KOKKOS_INLINE_FUNCTION double tanh(double x) {
  return ::tanh(x);
}
KOKKOS_INLINE_FUNCTION float tanh(float x) {
  return ::tanhf(x);
}
KOKKOS_INLINE_FUNCTION double erf(double x) {
  return ::erf(x);
}
KOKKOS_INLINE_FUNCTION float erf(float x) {
  return ::erff(x);
}
/// 1 / (1 + exp(-x)). exp overflows to infinity at most, which gives 0.
template <class T>
KOKKOS_INLINE_FUNCTION T sigmoid(T x) {
  return T(1) / (T(1) + exp(-x));
}
/// NaN where either is: a wrong number must not look like a right one.
template <class T>
KOKKOS_INLINE_FUNCTION T max(T x, T y) {
  return (x > y || x != x) ? x : y;
}

}  // namespace kernmill::kernels::math
