#pragma once
#include "kernmill/tasks/learn/train/fit.hpp"
#include "kernmill/tasks/learn/train/memory_need.hpp"
#include "kernmill/tasks/learn/train/settings.hpp"

namespace kernmill::tasks {

/// How a training in mini-batches is laid out: as its settings say, or, with `layout: auto`, as the machine
/// that it measures and its `memory` suggest; stdout gets to know why. Collective. Throws TaskError where it
/// cannot be laid out so.
Layout layout_of(const TrainSettings& settings, const FitData& data, const Network& network,
                 const MemoryLayout& memory, const Session& session);

/// Whether ranks can share the layers of this training, too.
bool may_share_layers(const TrainSettings& settings);

/// The rows, for an estimate.
RowsSize size_of(const FitData& data);

}  // namespace kernmill::tasks
