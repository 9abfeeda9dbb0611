#pragma once
#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/learn/parallel/step_cost.hpp"
#include "kernmill/tasks/learn/train/settings.hpp"
#include "kernmill/tasks/models/network/network_shape.hpp"

namespace kernmill::tasks {

/// Collective; milliseconds, of wide layers half a second. Messages between rank 0 and the next one, and the
/// last one; pieces of the batch through the first three layers, of at most 1024 units, by as many ranks at a
/// time as a node has cores; where more than a relu stands behind a layer, the same with that; and an update.
/// All ranks get rank 0's numbers. Ranks of a node are taken to be neighbours, and nodes to be alike.
template <class T>
Machine measure_machine(const Communicator& comm, const NetworkShape& shape,
                        const OptimizerSettings& optimizer);

}  // namespace kernmill::tasks
