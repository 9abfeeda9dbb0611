#pragma once
#include <cstdint>

#include "kernmill/reference/linear_algebra.hpp"

namespace kernmill::reference {

/// Compressed sparse rows. Products with them are those with the dense matrix that they stand for.
struct SparseRows {
  std::vector<std::uint64_t> begins{0};
  std::vector<std::uint32_t> columns;
  std::vector<double> values;
};

inline Matrix dense(const SparseRows& rows, std::size_t columns) {
  Matrix out(rows.begins.size() - 1, columns);
  for (std::size_t i = 0; i < out.rows; ++i) {
    for (std::uint64_t e = rows.begins[i]; e < rows.begins[i + 1]; ++e)
      out(i, rows.columns[e]) = rows.values[e];
  }
  return out;
}

}  // namespace kernmill::reference
