#include <fmt/format.h>

#include "kernmill/tasks/learn/rows/batch.hpp"
#include "kernmill/tasks/models/kernel_svm/training_rows.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

void require_memory(const Rows& rows, std::uint64_t memory) {
  const double needed =
      static_cast<double>(rows.count()) * static_cast<double>(rows.features()) * sizeof(double);
  if (needed <= static_cast<double>(memory)) return;
  throw TaskError(
      fmt::format(
          "kernel_svm keeps all training rows on each rank: {} of {} features take {:.1f} GiB{}, and a "
          "rank may use {:.1f} GiB",
          rows.count(), rows.features(), needed / (1U << 30U),
          rows.is_sparse() ? " with the zeros that sparse rows leave out" : "",
          static_cast<double>(memory) / (1U << 30U)),
      {}, "train on fewer rows or features, with fewer ranks on a node, or use linear_svm");
}

std::vector<double> with_zeros(const storage::SparseRows& rows, std::uint64_t features) {
  std::vector<double> dense(rows.rows() * features, 0.0);
  for (std::uint64_t i = 0; i < rows.rows(); ++i)
    for (std::uint64_t e = rows.begins[i]; e < rows.begins[i + 1]; ++e)
      dense[i * features + rows.columns[e]] = rows.values[e];
  return dense;
}

}  // namespace

TrainingRows gather_training_rows(const Communicator& comm, const Rows& rows, std::uint64_t memory) {
  HostRows own;
  comm.agree([&] {
    require_memory(rows, memory);
    own.read(rows, storage::even_share(rows.count(), comm.rank(), comm.size()));
    if (rows.is_sparse() && !own.target.empty()) own.features = with_zeros(own.sparse, rows.features());
  });
  TrainingRows all;
  all.features = comm.allgatherv(std::span<const double>(own.features));
  const std::vector<double> targets = comm.allgatherv(std::span<const double>(own.target));
  for (std::size_t at = 0; at < targets.size(); at += rows.target_width()) {
    all.labels.push_back(static_cast<std::size_t>(targets[at]));
    if (rows.is_weighted()) all.weights.push_back(targets[at + 1]);
  }
  return all;
}

}  // namespace kernmill::tasks
