#include "kernmill/tasks/kinds/sparse_columns.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {

const SvmInput* as_sparse_input(const Input& input, const storage::Schema& schema) {
  return schema.inputs.empty() && schema.steps.empty() && !schema.features.empty()
             ? dynamic_cast<const SvmInput*>(&input)
             : nullptr;
}

std::uint64_t first_svm_index(const storage::Schema& schema) {
  const auto index_of = [](const std::string& name) {
    std::uint64_t index = 0;
    std::from_chars(name.data() + 1, name.data() + name.size(), index);
    return index;
  };
  const std::uint64_t first = index_of(schema.features.front());
  const std::uint64_t last = first + schema.features.size() - 1;
  if (schema.features.front() != fmt::format("f{}", first) ||
      schema.features.back() != fmt::format("f{}", last))
    throw TaskError(fmt::format("the model's columns are '{}' to '{}', which are none of LIBSVM's format",
                                schema.features.front(), schema.features.back()),
                    {}, "the model file is damaged; train it again");
  return first;
}

void predict_sparse(const Predictor& predictor, std::size_t columns, const storage::SparseRows& rows,
                    std::span<double> scores) {
  const auto outputs = static_cast<std::size_t>(predictor.outputs());
  const std::size_t step = std::max<std::size_t>(1, (std::size_t{4} << 20U) / columns);
  std::vector<double> whole;
  for (std::size_t first = 0; first < rows.rows(); first += step) {
    const std::size_t count = std::min<std::size_t>(step, rows.rows() - first);
    whole.assign(count * columns, 0);
    for (std::size_t i = 0; i < count; ++i)
      for (std::uint64_t at = rows.begins[first + i]; at < rows.begins[first + i + 1]; ++at)
        whole[i * columns + rows.columns[at]] = rows.values[at];
    predictor.predict(whole, count, scores.subspan(first * outputs, count * outputs));
  }
}

void each_sparse_block(const SparseStore& features, const SparseWork& work) {
  constexpr std::uint64_t rows_at_once = 4096, entries_at_once = std::uint64_t{1} << 18U;
  storage::SparseRows rows;
  for (std::uint64_t first = 0, end = 0; first < features.rows(); first = end) {
    rows = {};
    while (end < features.rows() && end - first < rows_at_once &&
           (end == first || features.entries_before(end) - features.entries_before(first) < entries_at_once))
      ++end;
    features.read(first, end - first, rows);
    work(first, rows);
  }
}

}  // namespace kernmill::tasks
