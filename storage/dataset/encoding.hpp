#pragma once
#include <cstdint>
#include <vector>

#include "kernmill/storage/element.hpp"

namespace kernmill::storage {

/// How the numbers of a dataset lie in its file. What they mean does not depend on it.
///
/// A dense row is, in memory as in the file, the features that are of type `features`, and behind them those
/// that `bytes` lists, a byte each. With `center` and `scale` a feature is (stored - center) / scale,
/// computed in float64: bytes of an image stay bytes, and standardised features have the bits that they would
/// have without that.
struct Encoding {
  bool sparse = false;                ///< rows hold what is not 0, with its column
  Element features = Element::f64;    ///< of the table `features`; of sparse rows, of their values
  std::vector<std::uint32_t> bytes;   ///< dense: features that lie in the table `bytes` (uint8); ascending
  std::vector<double> center, scale;  ///< dense: one a feature, or none
  Element target = Element::f64;      ///< int32 for classes
  friend bool operator==(const Encoding&, const Encoding&) = default;
};

/// Rows in compressed sparse row form: row i has entries [begins[i], begins[i + 1]), columns ascending.
struct SparseRows {
  std::vector<std::uint64_t> begins{0};
  std::vector<std::uint32_t> columns;
  std::vector<double> values;
  [[nodiscard]] std::uint64_t rows() const { return begins.size() - 1; }
};

}  // namespace kernmill::storage
