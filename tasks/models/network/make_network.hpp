#pragma once
#include "kernmill/storage/dataset/schema.hpp"
#include "kernmill/tasks/models/network/network_kind.hpp"

namespace kernmill::tasks {

/// The network that a model is, for data of this schema. Throws TaskError where the two do not fit, or where
/// it has more than so many parameters.
inline constexpr std::uint64_t most_parameters = std::uint64_t{1} << 40U;
Network make_network(const NetworkModel& model, const storage::Schema& schema,
                     std::uint64_t parameters = most_parameters);

}  // namespace kernmill::tasks
