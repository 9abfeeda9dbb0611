#include "kernmill/tasks/models/kernel_svm/support_vectors.hpp"

#include "kernmill/tasks/models/tensors.hpp"

namespace kernmill::tasks {

std::vector<storage::Tensor> tensors_of(const SupportVectors& vectors, std::uint64_t features) {
  const std::uint64_t count = vectors.rows.size() / features;
  return {{"support_vectors", {count, features}, vectors.rows},
          {"coefficients", {count, vectors.coefficients.size() / count}, vectors.coefficients},
          vector_tensor("biases", vectors.biases),
          vector_tensor("per_class", {vectors.per_class.begin(), vectors.per_class.end()}),
          vector_tensor("gamma", {vectors.gamma})};
}

}  // namespace kernmill::tasks
