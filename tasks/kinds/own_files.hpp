#pragma once
#include <string_view>

#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/storage/model/model.hpp"
#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {

/// Collective. What the spec names as an input, with the spec's key. Somebody else may have made the file:
/// where HDF5 crashes on it, error.json says so.
storage::Model read_model(const Communicator& comm, const Spec& spec, std::string_view setting);
storage::DatasetReader open_dataset(const Communicator& comm, const Spec& spec, std::string_view setting);

}  // namespace kernmill::tasks
