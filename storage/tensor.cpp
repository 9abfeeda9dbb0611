#include "kernmill/storage/tensor.hpp"

#include "kernmill/storage/conversion.hpp"

namespace kernmill::storage {

template <std::floating_point T>
std::vector<T> TensorData::as() const {
  std::vector<T> values(size());
  convert(numbers(), values);
  return values;
}

template std::vector<double> TensorData::as() const;
template std::vector<float> TensorData::as() const;

}  // namespace kernmill::storage
