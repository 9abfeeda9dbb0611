#pragma once
#include <cstdint>
#include <limits>
#include <vector>

#include "kernmill/storage/checkpoint/checkpoint.hpp"

namespace kernmill::tasks {

/// When training has gone on for long enough without getting better on rows that it does not learn from.
struct EarlyStopping {
  std::uint64_t patience = 10;  ///< epochs
  double threshold = 0;         ///< what counts as better: a share of the loss
};

/// The best epoch so far (Prechelt, Early stopping - but when?, 1998).
class BestEpoch {
 public:
  explicit BestEpoch(const EarlyStopping& settings) : settings_(settings) {}
  /// What an epoch, counted from 1, came to. Whether it is time to stop.
  bool take(std::uint64_t epoch, double loss, const std::vector<double>& parameters);

  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  [[nodiscard]] double loss() const { return loss_; }
  /// Empty before the first one.
  [[nodiscard]] const std::vector<double>& parameters() const { return parameters_; }

  void add_to(storage::Checkpoint& checkpoint) const;
  void restore(const storage::Checkpoint& checkpoint, std::size_t parameters);

 private:
  EarlyStopping settings_;
  std::uint64_t epoch_ = 0, waited_ = 0;
  double loss_ = std::numeric_limits<double>::infinity();
  std::vector<double> parameters_;
};

}  // namespace kernmill::tasks
