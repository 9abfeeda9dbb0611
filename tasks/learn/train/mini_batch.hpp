#pragma once
#include <functional>

#include "kernmill/tasks/learn/parallel/network_part.hpp"
#include "kernmill/tasks/learn/rows/step_rows.hpp"
#include "kernmill/tasks/learn/train/balance.hpp"
#include "kernmill/tasks/learn/train/full_batch.hpp"
#include "kernmill/tasks/learn/train/gradient_sum.hpp"

namespace kernmill::tasks {

/// The mean loss of parameters on rows that are not learned from. Collective. With early stopping alone.
using HeldOutLoss = std::function<double(const std::vector<double>& parameters)>;

/// What a training in mini-batches is about.
template <class T>
struct BatchTask {
  OptimizerSettings optimizer;
  std::uint64_t seed = 0;
  Criterion criterion;
  const Rows& rows;
  NetworkOf<T>& network;
  double weight = 0;  ///< of all rows together
  Summing summing = Summing::exact;
  BalanceSettings balancing{};
  Reads reads = Reads::rows;
  std::uint64_t memory = 0;  ///< all dense rows are kept where they take no more bytes; the same on all ranks
  HeldOutLoss held_out{};
  NetworkPart<T>* part = nullptr;  ///< where ranks share layers, too: sums are exact and shares even then
};

/// SGD with momentum, Adam and AdamW. An epoch's order is a permutation keyed by (seed, epoch), so that the
/// number of steps done is the whole position in the data. The same bits on any number of ranks where sums
/// are exact, and for either way to read.
template <class T>
Trained train_in_batches(const BatchTask<T>& task, const std::vector<double>& start, Session& session);

}  // namespace kernmill::tasks
