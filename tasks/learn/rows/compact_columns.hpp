#pragma once
#include <cstdint>
#include <vector>

#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/learn/rows/batch.hpp"

namespace kernmill::tasks {

/// The features that the sparse rows of a batch have anything of, on any rank. A gradient of these alone is
/// as long as the batch has entries, not as the data has features.
class CompactColumns {
 public:
  /// Collective. `rows` are this rank's of the batch, and `batch` they on the device; it becomes compact.
  /// Both are empty where the rank has none.
  void set(const Communicator& comm, const storage::SparseRows& rows, Batch& batch);
  /// Ascending; the same on every rank.
  [[nodiscard]] const std::vector<std::uint32_t>& features() const { return features_; }

 private:
  std::vector<std::uint32_t> features_, places_;  ///< places_: of each entry, among the features
};

}  // namespace kernmill::tasks
