#include "kernmill/tasks/learn/rows/class_counts.hpp"

#include <algorithm>

#include "kernmill/storage/even_share.hpp"

namespace kernmill::tasks {
namespace {

constexpr std::uint64_t labels_at_a_time = std::uint64_t{1} << 20U;

void count_labels(const Rows& rows, storage::IndexRange share, std::vector<std::uint64_t>& counts) {
  std::vector<double> labels;
  for (std::uint64_t at = share.begin; at < share.end; at += labels_at_a_time) {
    labels.resize(std::min(labels_at_a_time, share.end - at));
    rows.read({at, at + labels.size()}, std::span<double>(), labels);
    for (const double label : labels) ++counts.at(static_cast<std::size_t>(label));
  }
}

}  // namespace

std::vector<std::uint64_t> class_counts(const Communicator& comm, const Rows& rows) {
  if (rows.schema().target_kind != storage::TargetKind::classes) return {};
  std::vector<std::uint64_t> counts(rows.schema().classes.size(), 0);
  comm.agree(
      [&] { count_labels(rows, storage::even_share(rows.count(), comm.rank(), comm.size()), counts); });
  comm.allreduce(std::span(counts), Reduction::sum);
  return counts;
}

}  // namespace kernmill::tasks
