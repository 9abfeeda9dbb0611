#pragma once
#include "kernmill/storage/dataset/packed_schema.hpp"
#include "kernmill/storage/model/model.hpp"

/// Private to storage/: what models are packed as.
namespace kernmill::storage {

auto members_of(Is<TensorData> auto& data) {
  return std::tie(data.type, data.bytes);
}

auto members_of(Is<Tensor> auto& tensor) {
  return std::tie(tensor.name, tensor.shape, tensor.data);
}

auto members_of(Is<Model> auto& model) {
  return std::tie(model.type, model.settings, model.schema, model.parameters);
}

}  // namespace kernmill::storage
