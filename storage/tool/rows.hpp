#pragma once
#include <functional>
#include <string>
#include <vector>

#include "kernmill/storage/dataset/dataset.hpp"

namespace kernmill::storage::tool {

/// Rows of a part that lie behind each other.
struct RowBlock {
  Part part = Part::train;
  std::uint64_t first = 0, count = 0;
  std::uint64_t columns = 0, targets = 0;
  std::vector<double> features;  ///< count x columns; of sparse rows none
  SparseRows sparse;
  std::vector<double> target;   ///< count x targets
  std::vector<double> weights;  ///< count, where rows have weights
  std::vector<std::uint64_t> row_numbers;
};

/// As they are in the file, or dense in any case.
enum class Layout { own, dense };

/// Gives at most `most` rows of a part to `take`, in blocks that fit into memory.
void for_each_block(const DatasetReader& data, Part part, std::uint64_t most,
                    const std::function<void(const RowBlock&)>& take, Layout layout = Layout::own);

/// The values of a row's target, for people: the class, or numbers.
std::vector<std::string> target_texts(const Schema& schema, const RowBlock& block, std::uint64_t row);
/// The names that go with them: "species", or one a number.
std::vector<std::string> target_headings(const Schema& schema);

}  // namespace kernmill::storage::tool
