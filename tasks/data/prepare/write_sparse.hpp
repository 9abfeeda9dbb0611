#pragma once
#include "kernmill/tasks/data/prepare/write_dataset.hpp"

namespace kernmill::tasks {

/// How many entries of each part this rank writes.
storage::PartSizes count_entries(const Prepared& prepared);

/// Collective. As write_rows, of samples whose features are sparse rows.
void write_sparse_rows(const Communicator& comm, const Prepared& prepared,
                       const std::optional<std::uint64_t>& shuffle_seed, const Buffer& buffer,
                       storage::DatasetWriter& dataset);

}  // namespace kernmill::tasks
