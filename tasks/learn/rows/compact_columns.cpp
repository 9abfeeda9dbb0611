#include "kernmill/tasks/learn/rows/compact_columns.hpp"

#include <algorithm>

#include "kernmill/tasks/models/network/device_rows.hpp"

namespace kernmill::tasks {
namespace {

template <class T>
void sort_once_each(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

/// Those that any rank has.
std::vector<std::uint32_t> of_all_ranks(const Communicator& comm, std::vector<std::uint32_t> own) {
  sort_once_each(own);
  if (comm.size() == 1) return own;
  const std::vector<std::uint64_t> wide(own.begin(), own.end());
  std::vector<std::uint64_t> all = comm.allgatherv(std::span<const std::uint64_t>(wide));
  sort_once_each(all);
  return {all.begin(), all.end()};
}

}  // namespace

void CompactColumns::set(const Communicator& comm, const storage::SparseRows& rows, Batch& batch) {
  features_ = of_all_ranks(comm, rows.columns);
  places_.resize(rows.columns.size());
  std::transform(rows.columns.begin(), rows.columns.end(), places_.begin(), [&](std::uint32_t column) {
    const auto at = std::lower_bound(features_.begin(), features_.end(), column);
    return static_cast<std::uint32_t>(at - features_.begin());
  });
  batch.compact = on_device(rows.begins, places_, rows.values);
  batch.gradient_features = features_;
}

}  // namespace kernmill::tasks
