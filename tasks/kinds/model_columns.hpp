#pragma once
#include <string>
#include <vector>

#include "kernmill/storage/dataset/schema.hpp"
#include "kernmill/tasks/data/read/input.hpp"

namespace kernmill::tasks {

/// How an input is read, but for what is wanted of it.
Selection reading_of(const Json& config);

/// The columns that the model's features are made of: the features themselves, where nothing is said of them.
std::vector<storage::InputColumn> inputs_of(const storage::Schema& schema);

/// The model's columns in an input, wherever they stand there. Throws TaskError for one that is not there.
Selection match_columns(const Input& input, const storage::Schema& schema, const Json& config);

/// All columns that the input had which the model was trained on.
std::vector<std::string> columns_known_to(const storage::Schema& schema);

/// Says on stderr which columns of the input are not wanted.
void note_unused_columns(const Input& input, const Selection& selection);

}  // namespace kernmill::tasks
