#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "kernmill/storage/model/model.hpp"
#include "kernmill/tasks/models/predictor.hpp"

namespace kernmill::tasks {

/// What a kernel_svm has learnt: each two of its k classes are told apart by a function of their own. Laid
/// out as libsvm's: of class i's support vectors, column j - 1 of the coefficients (j where j < i) is for the
/// decision between it and class j; it is positive for the lower of two classes.
struct SupportVectors {
  double gamma = 1;
  std::vector<double> rows;              ///< n x d, class by class
  std::vector<double> coefficients;      ///< n x (k - 1)
  std::vector<double> biases;            ///< k (k - 1) / 2, of (0, 1), (0, 2), ..., (1, 2), ...
  std::vector<std::uint64_t> per_class;  ///< of each class of the schema; 0 where it is none of the k
};

std::vector<storage::Tensor> tensors_of(const SupportVectors& vectors, std::uint64_t features);

/// A model of a file, ready to predict: the class with the most votes, of equals the lowest, as libsvm has
/// it. Scores are the votes, and less than a third of one by how clear the decisions were, as scikit-learn's
/// decision_function, so that classes can be ranked by them. Throws TaskError where the file is damaged.
std::unique_ptr<Predictor> open_support_vectors(const storage::Model& model);

}  // namespace kernmill::tasks
