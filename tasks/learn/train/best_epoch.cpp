#include "kernmill/tasks/learn/train/best_epoch.hpp"

#include <cmath>

#include "kernmill/tasks/models/tensors.hpp"

namespace kernmill::tasks {

bool BestEpoch::take(std::uint64_t epoch, double loss, const std::vector<double>& parameters) {
  if (parameters_.empty() || std::isnan(loss_) || loss < loss_ * (1 - settings_.threshold)) {
    epoch_ = epoch;
    loss_ = loss;
    parameters_ = parameters;
    waited_ = 0;
    return false;
  }
  return ++waited_ >= settings_.patience;
}

void BestEpoch::add_to(storage::Checkpoint& checkpoint) const {
  if (parameters_.empty()) return;
  checkpoint.tensors.push_back(vector_tensor("best", parameters_));
  checkpoint.tensors.push_back(
      vector_tensor("best_epoch", {static_cast<double>(epoch_), loss_, static_cast<double>(waited_)}));
}

void BestEpoch::restore(const storage::Checkpoint& checkpoint, std::size_t parameters) {
  if (!holds(checkpoint.tensors, "best")) return;
  parameters_ = values_of(checkpoint.tensors, "best", parameters);
  const auto about = values_of(checkpoint.tensors, "best_epoch", 3);
  epoch_ = static_cast<std::uint64_t>(about[0]);
  loss_ = about[1];
  waited_ = static_cast<std::uint64_t>(about[2]);
}

}  // namespace kernmill::tasks
