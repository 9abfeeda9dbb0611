#pragma once
#include <functional>

#include "kernmill/tasks/learn/parallel/network_part.hpp"
#include "kernmill/tasks/learn/train/balance.hpp"
#include "kernmill/tasks/learn/train/full_batch.hpp"
#include "kernmill/tasks/learn/train/gradient_sum.hpp"

namespace kernmill::tasks {

/// Into how many equal pieces a batch is cut, whatever the number of ranks: a power of two, at most 16, that
/// leaves 8 rows or more in each, and 32 where the gradient of a piece is too large for a core's cache. More
/// ranks than pieces do not make it faster.
std::uint64_t micro_batches(std::uint64_t batch_size, std::uint64_t parameters);

/// How the rows of a batch come from the file: one by one, or, of a shuffle by blocks, from whole windows of
/// it.
enum class Reads { rows, large };

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
  Summing summing = Summing::exact;
  Balancing balancing = Balancing::even;
  Reads reads = Reads::rows;
  std::uint64_t memory = 0;  ///< all dense rows are kept where they take no more bytes; the same on all ranks
  HeldOutLoss held_out{};
  NetworkPart<T>* part =
      nullptr;  ///< where ranks share layers, too: sums are exact, shares even and rows dense then
};

/// SGD with momentum, Adam and AdamW. An epoch's order is a permutation keyed by (seed, epoch), so that the
/// number of steps done is the whole position in the data. The same bits on any number of ranks where sums
/// are exact, and for either way to read.
template <class T>
Trained train_in_batches(const BatchTask<T>& task, const std::vector<double>& start, Session& session);

}  // namespace kernmill::tasks
