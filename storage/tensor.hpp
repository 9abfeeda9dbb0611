#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace kernmill::storage {

/// A named array of doubles, row-major.
struct Tensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::vector<double> data;
};

}  // namespace kernmill::storage
