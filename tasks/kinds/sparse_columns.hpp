#pragma once
#include <functional>
#include <memory>
#include <span>

#include "kernmill/storage/dataset/encoding.hpp"
#include "kernmill/storage/dataset/schema.hpp"
#include "kernmill/tasks/data/read/libsvm.hpp"
#include "kernmill/tasks/models/predictor.hpp"

namespace kernmill::tasks {

/// The input as sparse rows for a model that was trained on such; null: it is read whole.
const SvmInput* as_sparse_input(const Input& input, const storage::Schema& schema);

/// The index of the model's first column in files of LIBSVM's format. Throws TaskError where its columns are
/// not those of such files.
std::uint64_t first_svm_index(const storage::Schema& schema);

/// Scores of rows of so many columns.
void predict_sparse(const Predictor& predictor, std::size_t columns, const storage::SparseRows& rows,
                    std::span<double> scores);

/// Calls `work` with some rows at a time, and the number of the first of them.
using SparseWork = std::function<void(std::uint64_t first, const storage::SparseRows& rows)>;
void each_sparse_block(const SparseStore& features, const SparseWork& work);

}  // namespace kernmill::tasks
