#pragma once
#include <optional>
#include <string>
#include <vector>

#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/tasks/data/prepare/samples.hpp"
#include "kernmill/tasks/data/store/sparse_store.hpp"

namespace kernmill::tasks {

/// What is known once the input has been read and the preprocessing fitted.
struct Prepared {
  storage::Schema schema;
  Samples samples;
  std::vector<storage::Part> parts;          ///< by sample
  std::vector<std::uint32_t> copies;         ///< how often each sample is written
  std::vector<storage::InputColumn> inputs;  ///< what the steps start from
  storage::Encoding encoding;
  SparseStore sparse{};  ///< the features of the samples, where they are sparse
};

/// How many rows of each part this rank writes.
storage::PartSizes count_parts(const Prepared& prepared);

/// Collective. Writes the samples in the order of the input, those of the training part shuffled where
/// `shuffle_seed` is there. Throws Stopped.
void write_rows(const Communicator& comm, const Prepared& prepared,
                const std::optional<std::uint64_t>& shuffle_seed, const Buffer& buffer,
                storage::DatasetWriter& dataset);

}  // namespace kernmill::tasks
