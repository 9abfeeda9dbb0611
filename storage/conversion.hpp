#pragma once
#include <optional>
#include <span>

#include "kernmill/storage/element.hpp"

/// Numbers of one type as numbers of another. Bytes need no alignment.
namespace kernmill::storage {

/// As many as `to` has; exact wherever the type allows it, else rounded to the nearest.
void widen(Element type, const std::byte* from, std::span<double> to);
void widen(Element type, const std::byte* from, std::span<float> to);

/// (number - center) / scale, computed in float64; one center and one scale a number.
struct Scaling {
  const double *center = nullptr, *scale = nullptr;
};
void widen(Element type, const std::byte* from, const Scaling& by, std::span<double> to);
void widen(Element type, const std::byte* from, const Scaling& by, std::span<float> to);

/// To the nearest that the type has, ties to even. Returns the index of the first number that it does not
/// hold: 256 in a byte, 0.5 in an integer, what would become infinite.
std::optional<std::size_t> narrow(std::span<const double> from, Element type, std::byte* to);
/// The inverse of the scaled `widen`. What an integer type holds comes back as the same number.
std::optional<std::size_t> narrow(std::span<const double> from, const Scaling& by, Element type,
                                  std::byte* to);

/// Numbers into a place of as many: of the same type, or of float64 or float32. False where there is no way.
bool convert(const Numbers& from, const WritableNumbers& to);

}  // namespace kernmill::storage
