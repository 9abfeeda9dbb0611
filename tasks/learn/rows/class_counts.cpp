#include "kernmill/tasks/learn/rows/class_counts.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

#include <fmt/format.h>

#include "kernmill/storage/even_share.hpp"

namespace kernmill::tasks {
namespace {

constexpr std::uint64_t labels_at_a_time = std::uint64_t{1} << 20U;

void count_labels(const Rows& rows, storage::IndexRange share, std::vector<std::uint64_t>& counts) {
  const std::uint64_t width = rows.target_width();
  std::vector<double> target;
  for (std::uint64_t at = share.begin; at < share.end; at += labels_at_a_time) {
    const std::uint64_t count = std::min(labels_at_a_time, share.end - at);
    target.resize(count * width);
    rows.read({at, at + count}, std::span<double>(), target);
    for (std::uint64_t i = 0; i < count; ++i)
      if (!rows.is_weighted() || target[(i + 1) * width - 1] > 0)
        ++counts.at(static_cast<std::size_t>(target[i * width]));
  }
}

/// The classes that none of the rows has: nothing can be learnt of them.
std::vector<std::string> missing_classes(const storage::Schema& schema,
                                         const std::vector<std::uint64_t>& counts) {
  std::vector<std::string> missing;
  for (std::size_t k = 0; k < counts.size(); ++k)
    if (counts[k] == 0) missing.push_back(schema.classes[k]);
  return missing;
}

void complain_about(const std::vector<std::string>& missing, std::size_t classes) {
  const std::string others =
      missing.size() == 1 ? "" : fmt::format(" (nor {} more of the {} classes)", missing.size() - 1, classes);
  fmt::print(
      stderr,
      "warning: no training row has the class '{}'{}: the model will not know it. Stratify the split of the "
      "preprocess stage, or shuffle there, since the folds of a search are every k-th row\n",
      missing.front(), others);
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

std::uint64_t warn_of_missing_classes(const Communicator& comm, const storage::Schema& schema,
                                      const std::vector<std::uint64_t>& counts) {
  const std::vector<std::string> missing = missing_classes(schema, counts);
  if (comm.is_root() && !missing.empty()) complain_about(missing, schema.classes.size());
  return missing.size();
}

}  // namespace kernmill::tasks
