#pragma once
#include "kernmill/storage/dataset/schema.hpp"
#include "kernmill/tasks/models/network.hpp"
#include "kernmill/tasks/models/settings.hpp"

namespace kernmill::tasks {

/// The network that a model is, for data of this schema. Throws TaskError where the two do not fit.
Network make_network(const ModelSettings& model, const storage::Schema& schema);

}  // namespace kernmill::tasks
