#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kernmill/storage/schema.hpp"
#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/data/table.hpp"
#include "kernmill/tasks/support/json.hpp"

namespace kernmill::tasks {

/// A rank's samples, in the order of the input; the ranks' samples follow each other.
struct Samples {
  std::uint64_t first = 0, total = 0;
  std::uint64_t feature_count = 0, target_count = 0;
  std::vector<std::uint64_t> row_numbers;
  std::vector<double> features, target;
  std::vector<double> before, at;  ///< levels of a series
  [[nodiscard]] std::uint64_t count() const { return row_numbers.size(); }
};

/// Collective. Reads the input and makes samples of it: a sample a row, or windows over a series. Fills in
/// the schema's features, target, classes and series.
Samples read_samples(const Communicator& comm, const CsvHeader& header, const Json& config,
                     storage::Schema& schema);

}  // namespace kernmill::tasks
