#pragma once
#include <string>
#include <vector>

#include "kernmill/storage/dataset/schema.hpp"

namespace kernmill::tasks {

/// The columns of the input that have one value in all rows of the training part, as far as it is known:
/// nothing can be learnt of them.
std::vector<std::string> constant_columns(const storage::Schema& schema);

/// What to say of them: "3 columns have one value in all training rows: a, b, ...".
std::string told_constant(const std::vector<std::string>& columns);

}  // namespace kernmill::tasks
