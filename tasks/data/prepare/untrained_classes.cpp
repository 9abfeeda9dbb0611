#include "kernmill/tasks/data/prepare/untrained_classes.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "kernmill/tasks/data/prepare/locate_row.hpp"

namespace kernmill::tasks {
namespace {

constexpr std::uint64_t nowhere = std::numeric_limits<std::uint64_t>::max();

/// What is known of each class: how many training samples there are of it, and the first row that has it.
struct ClassRows {
  std::vector<std::uint64_t> training, first;
};

ClassRows rows_of_classes(const Communicator& comm, const Samples& samples,
                          const std::vector<storage::Part>& parts, std::size_t classes) {
  ClassRows rows{std::vector<std::uint64_t>(classes, 0), std::vector<std::uint64_t>(classes, nowhere)};
  comm.agree([&] {
    samples.rows.each_block([&](std::uint64_t begin, std::span<const double> block) {
      const std::size_t width = samples.layout.width();
      for (std::uint64_t i = 0; i < block.size() / width; ++i) {
        const double* const sample = block.data() + i * width;
        const auto label = static_cast<std::size_t>(sample[samples.layout.target()]);
        const auto row = static_cast<std::uint64_t>(sample[samples.layout.number()]);
        if (parts[begin + i] == storage::Part::train) ++rows.training[label];
        rows.first[label] = std::min(rows.first[label], row);
      }
    });
  });
  comm.allreduce(std::span(rows.training), Reduction::sum);
  comm.allreduce(std::span(rows.first), Reduction::min);
  return rows;
}

}  // namespace

UntrainedClasses find_untrained_classes(const Communicator& comm, const Input& input,
                                        const std::vector<std::string>& missing, const Samples& samples,
                                        const std::vector<storage::Part>& parts,
                                        const storage::Schema& schema) {
  if (schema.target_kind != storage::TargetKind::classes) return {};
  const ClassRows rows = rows_of_classes(comm, samples, parts, schema.classes.size());
  std::vector<std::string> trained;
  std::uint64_t row = nowhere;
  for (std::size_t k = 0; k < schema.classes.size(); ++k) {
    if (rows.training[k] > 0)
      trained.push_back(schema.classes[k]);
    else
      row = std::min(row, rows.first[k]);
  }
  if (row == nowhere) return {};
  Wanted wanted{column_index(input, schema.target, "the target")};
  wanted.text = wanted.only_known = true;
  wanted.known = std::move(trained);
  const std::size_t count = schema.classes.size() - wanted.known.size();
  const RejectedRow found = locate_row(comm, input, {{std::move(wanted)}, missing}, row);
  return {count,
          fmt::format("{}: no training row has the class '{}'{}: no model of this dataset will know it. "
                      "Stratify the split, or leave such rows out",
                      place_of(found), shown(found.value),
                      count == 1 ? ""
                                 : fmt::format(" (nor {} more of the {} classes)", count - 1,
                                               schema.classes.size()))};
}

}  // namespace kernmill::tasks
