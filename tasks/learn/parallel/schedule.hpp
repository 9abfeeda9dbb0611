#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace kernmill::tasks {

/// A micro-batch goes through a stage, one way or the other.
struct Turn {
  bool forward = true;
  std::uint64_t micro_batch = 0;
  friend bool operator==(const Turn&, const Turn&) = default;
};

/// What a stage of a pipeline does in a step, in its order: it fills the pipeline, then one forward, one
/// backward, and no more than `stages - stage` micro-batches are on their way at a time (1F1B: Narayanan et
/// al., PipeDream, 2019; its flushed form, 2021). Either way micro-batches come in their order.
inline std::vector<Turn> one_forward_one_backward(std::uint64_t stage, std::uint64_t stages,
                                                  std::uint64_t micro_batches) {
  const std::uint64_t ahead = std::min(stages - stage - 1, micro_batches);
  std::vector<Turn> turns;
  for (std::uint64_t i = 0; i < ahead; ++i) turns.push_back({true, i});
  for (std::uint64_t i = 0; i < micro_batches; ++i) {
    if (i + ahead < micro_batches) turns.push_back({true, i + ahead});
    turns.push_back({false, i});
  }
  return turns;
}

}  // namespace kernmill::tasks
