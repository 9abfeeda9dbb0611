#pragma once
#include <array>
#include <cstdint>

namespace kernmill {

/// Philox4x32-10, a counter-based generator: four random words that are a pure function of counter and key,
/// the same on every machine. Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3"
/// (SC11).
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

}  // namespace kernmill
