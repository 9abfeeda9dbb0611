#include "kernmill/tasks/data/prepare/unknown_category.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "kernmill/tasks/data/prepare/locate_row.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

constexpr std::uint64_t no_row = std::numeric_limits<std::uint64_t>::max();

std::vector<std::size_t> strict_columns(const std::vector<ColumnPlan>& plans, const Fitted& fitted) {
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < plans.size(); ++i)
    if (fitted.has_unknown[i] && plans[i].encode.as != Encode::none && !plans[i].encode.unknown_is_fine)
      columns.push_back(i);
  return columns;
}

/// The number of the first row of all ranks, or `no_row`.
std::uint64_t first_row_with_one(const Communicator& comm, const Samples& samples,
                                 const std::vector<std::size_t>& columns, const Fitted& fitted) {
  std::uint64_t row = no_row;
  const auto is_unknown = [&](const double* sample) {
    return std::any_of(columns.begin(), columns.end(), [&](std::size_t i) {
      return sample[i] >= static_cast<double>(fitted.inputs[i].categories.size());
    });
  };
  comm.agree([&] {
    samples.rows.each_block([&](std::uint64_t, std::span<const double> block) {
      for (std::size_t at = 0; row == no_row && at < block.size(); at += samples.layout.width())
        if (is_unknown(block.data() + at))
          row = static_cast<std::uint64_t>(block[at + samples.layout.number()]);
    });
  });
  return comm.allreduce(row, Reduction::min);
}

}  // namespace

void refuse_unknown_categories(const Communicator& comm, const Input& input,
                               const std::vector<std::string>& missing, const Samples& samples,
                               const std::vector<ColumnPlan>& plans, const Fitted& fitted) {
  const auto columns = strict_columns(plans, fitted);
  if (columns.empty()) return;
  const std::uint64_t row = first_row_with_one(comm, samples, columns, fitted);
  if (row == no_row) return;
  Selection selection;
  selection.missing = missing;
  for (const std::size_t i : columns) {
    Wanted wanted{column_index(input, plans[i].name, "a feature")};
    wanted.text = wanted.only_known = true;
    wanted.may_be_missing = plans[i].impute.with != Impute::none;
    wanted.known = fitted.inputs[i].categories;
    selection.columns.push_back(std::move(wanted));
  }
  const RejectedRow bad = locate_row(comm, input, std::move(selection), row);
  throw TaskError(
      fmt::format("'{}' in column '{}' is a category that no training row has", shown(bad.value), bad.column),
      place_of(bad),
      "encode: {as: one_hot, unknown: ignore}, or a split that leaves each category some training rows "
      "(`stratify`)");
}

}  // namespace kernmill::tasks
