#include "kernmill/tasks/models/kernel_svm/fourier_map.hpp"

#include "kernmill/kernels/fourier_features.hpp"

namespace kernmill::tasks {

using kernels::Device;
using kernels::Transpose;

FourierMap::FourierMap(std::uint64_t inputs, std::uint64_t pairs, double gamma, std::uint64_t seed)
    : frequencies_(kernels::make_matrix<Device>(inputs, pairs)) {
  kernels::draw_frequencies<Device>(Device(), seed, gamma, frequencies_);
}

FourierMap::Matrix FourierMap::operator()(const Batch& batch) {
  const std::size_t rows = batch.rows();
  if (products_.extent(0) < rows) {
    products_ = kernels::make_matrix<Device>(rows, frequencies_.extent(1));
    features_ = kernels::make_matrix<Device>(rows, outputs());
  }
  const Matrix products = kernels::rows_of<Device>(products_, 0, rows);
  Matrix features = kernels::rows_of<Device>(features_, 0, rows);
  if (batch.is_sparse())
    kernels::multiply<Device>(Device(), batch.sparse, frequencies_, products);
  else
    kernels::gemm<Device>(Device(), Transpose::no, Transpose::no, 1.0, batch.features, frequencies_, 0.0,
                          products);
  kernels::fourier_features<Device>(Device(), products, features);
  return features;
}

}  // namespace kernmill::tasks
