#pragma once
#include <span>
#include <string>
#include <vector>

#include "kernmill/storage/schema.hpp"
#include "kernmill/tasks/comm/communicator.hpp"

namespace kernmill::tasks {

struct Scaling {
  std::vector<double> mean, scale;
};

/// Collective. Mean and standard deviation (ddof 0; a zero deviation becomes 1) of the columns of all ranks'
/// rows (rows x d). Two passes over exact sums: the same bits for any number of ranks. Throws TaskError when
/// a column's numbers are too large to be squared.
Scaling fit_scaling(const Communicator& comm, std::span<const double> rows,
                    const std::vector<std::string>& columns);

/// (x - mean) / scale, in place.
void apply_scaling(std::span<const double> mean, std::span<const double> scale, std::span<double> rows);

/// The step that does so to all features: its numbers are the means, then the scales.
storage::Step scaling_step(const Scaling& scaling, const std::vector<std::string>& columns);
/// Every step, in place. Throws TaskError for one of an unknown kind.
void apply_steps(const std::vector<storage::Step>& steps, std::span<double> rows);

}  // namespace kernmill::tasks
