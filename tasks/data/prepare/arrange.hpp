#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/tasks/data/prepare/samples.hpp"
#include "kernmill/tasks/data/store/row_store.hpp"

/// Which training samples a dataset has, and in which order.
namespace kernmill::tasks {

/// Collective. How often each of this rank's samples is written: once, but for those of the training part
/// when it is balanced. oversample: every class as often as the most frequent one, each sample equally often
/// and some, drawn by the seed, once more. undersample: as often as the rarest, samples drawn by the seed.
/// Throws TaskError where the target has no classes.
std::vector<std::uint32_t> balanced(const Communicator& comm, Balance how, std::uint64_t seed,
                                    const Samples& samples, const std::vector<storage::Part>& parts,
                                    std::size_t classes);

/// Collective. The ranks' rows in an order that the seed alone decides: a keyed permutation of all. Rank r
/// gets its even share of it (storage::even_share).
RowStore shuffled(const Communicator& comm, const RowStore& rows, std::uint64_t seed, const Buffer& buffer);

}  // namespace kernmill::tasks
