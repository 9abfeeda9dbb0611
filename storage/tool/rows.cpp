#include "kernmill/storage/tool/rows.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace kernmill::storage::tool {

namespace {

/// Of a row, on average.
std::uint64_t values_per_row(const DatasetReader& data, Part part, bool sparse) {
  if (!sparse) return data.feature_count() + data.target_count();
  const std::uint64_t rows = std::max<std::uint64_t>(1, data.rows(part));
  return data.entries(part) / rows + 1 + data.target_count();
}

}  // namespace

void for_each_block(const DatasetReader& data, Part part, std::uint64_t most,
                    const std::function<void(const RowBlock&)>& take, Layout layout) {
  constexpr std::uint64_t values_in_memory = 8 << 20;
  const bool sparse = data.encoding().sparse && layout == Layout::own;
  const std::uint64_t rows = std::min(most, data.rows(part));
  RowBlock block;
  block.part = part;
  block.columns = data.feature_count();
  block.targets = data.target_count();
  const std::uint64_t step = std::max<std::uint64_t>(
      1, values_in_memory / std::max<std::uint64_t>(1, values_per_row(data, part, sparse)));
  for (block.first = 0; block.first < rows; block.first += block.count) {
    block.count = std::min(step, rows - block.first);
    block.features.resize(sparse ? 0 : block.count * block.columns);
    block.target.resize(block.count * block.targets);
    block.row_numbers.resize(block.count);
    const IndexRange range{block.first, block.first + block.count};
    data.read(part, range, block.features, block.target);
    if (sparse) data.read_sparse(part, range, block.sparse);
    data.read_row_numbers(part, range, block.row_numbers);
    block.weights.resize(data.schema().weight.empty() ? 0 : block.count);
    if (!block.weights.empty()) data.read_weights(part, range, block.weights);
    take(block);
  }
}

std::vector<std::string> target_texts(const Schema& schema, const RowBlock& block, std::uint64_t row) {
  std::vector<std::string> texts;
  for (std::uint64_t t = 0; t < block.targets; ++t) {
    const double value = block.target[row * block.targets + t];
    const auto index = static_cast<std::size_t>(value);
    const bool is_class =
        schema.target_kind == TargetKind::classes && value >= 0 && index < schema.classes.size();
    texts.push_back(is_class ? schema.classes[index] : fmt::format("{}", value));
  }
  return texts;
}

std::vector<std::string> target_headings(const Schema& schema) {
  if (schema.target_kind == TargetKind::classes) return {schema.target.empty() ? "class" : schema.target};
  std::vector<std::string> names = schema.target_names;
  for (std::string& name : names)  // a series' columns are features, too
    if (std::find(schema.features.begin(), schema.features.end(), name) != schema.features.end())
      name += "_target";
  return names;
}

}  // namespace kernmill::storage::tool
