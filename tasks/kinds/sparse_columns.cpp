#include "kernmill/tasks/kinds/sparse_columns.hpp"

#include <charconv>

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

void each_sparse_block(const SparseStore& features, const SparseWork& work) {
  constexpr std::uint64_t rows_at_once = 4096, entries_at_once = std::uint64_t{1} << 18U;
  storage::SparseRows rows;
  for (const storage::IndexRange& range : features.ranges_of(rows_at_once, entries_at_once)) {
    rows = {};
    features.read(range.begin, range.count(), rows);
    work(range.begin, rows);
  }
}

}  // namespace kernmill::tasks
