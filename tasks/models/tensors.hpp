#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/storage/error.hpp"
#include "kernmill/storage/model/model.hpp"

namespace kernmill::tasks {

template <class T = double>
storage::Tensor vector_tensor(std::string name, const std::vector<T>& values) {
  const std::uint64_t size = values.size();
  return {std::move(name), {size}, values};
}

inline bool holds(const std::vector<storage::Tensor>& tensors, std::string_view name) {
  return std::any_of(tensors.begin(), tensors.end(), [&](const auto& tensor) { return tensor.name == name; });
}

/// Throws storage::Error when there is none of that name: the file is not what it says it is.
template <class T = double>
std::vector<T> values_of(const std::vector<storage::Tensor>& tensors, std::string_view name) {
  for (const storage::Tensor& tensor : tensors) {
    if (tensor.name == name) return tensor.data.as<T>();
  }
  throw storage::Error("the file holds no tensor '" + std::string(name) +
                       "'; it was written by another program");
}

/// Throws where there are not so many, as well: a checkpoint of somebody else's may have what name it wants.
template <class T = double>
std::vector<T> values_of(const std::vector<storage::Tensor>& tensors, std::string_view name,
                         std::size_t count) {
  std::vector<T> values = values_of<T>(tensors, name);
  if (values.size() == count) return values;
  throw storage::Error("the checkpoint's '" + std::string(name) + "' has " + std::to_string(values.size()) +
                       " numbers where this training has " + std::to_string(count) +
                       ". Remove the checkpoint, and train anew");
}

}  // namespace kernmill::tasks
