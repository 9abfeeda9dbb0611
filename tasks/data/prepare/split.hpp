#pragma once
#include <vector>

#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/data/prepare/samples.hpp"

namespace kernmill::tasks {

/// Collective. Which part each of a rank's samples belongs to, as `split` asks. It depends on the
/// samples' places in the input and on the seed, never on the number of ranks.
///
/// random: a keyed permutation; the first `test` of its places are test samples, the next `validation`.
/// Counts are rounded to the nearest. Stratified: so within each class, the rounding shared out by largest
/// remainder. Grouped: so with the groups, in sorted order, instead of the samples.
///
/// every (folds): test samples are those whose place modulo `every` is `offset`: the place in the input, or
/// with a seed that in a keyed permutation; stratified within the classes, one behind the other, so that the
/// sizes of the folds differ by one at most, within a class as well; grouped among the groups.
std::vector<storage::Part> assign_parts(const Communicator& comm, const SplitSettings& split,
                                        const Samples& samples, std::size_t classes);

/// Shares `total` out in proportion to `weights` by largest remainder (Hamilton), ties to the lower index,
/// none above its cap. The sum is `total` where the caps allow it.
std::vector<std::uint64_t> largest_remainder(const std::vector<std::uint64_t>& weights, std::uint64_t total,
                                             const std::vector<std::uint64_t>& caps);

}  // namespace kernmill::tasks
