#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/workflow/value/value.hpp"

/// What a training tells of itself in its attempt's metrics.jsonl (see tasks/README.md).
namespace kernmill {

/// The newest whole line of an attempt's file, of which 64 KiB at most are read; {} where there is none. Has
/// step, steps, epoch, epochs, loss, ..., as far as they are known, `as_of` (when it was written), `age`, and
/// `left`: {"seconds", "low", "high"}, counted from `now`, where it can be told.
Json read_training_progress(const std::filesystem::path& attempt, std::string_view now);

/// What of it are metrics: step, epoch, loss, accuracy, ...
Json metrics_of_progress(const Json& progress);

/// "epoch 12/30  loss 0.3121  2 min 05 s left (1 min 50 s to 2 min 40 s)"; empty of {}.
std::string progress_text(const Json& progress);

/// The rows of this attempt and those before it, which lie beside it: what was done again counts as the later
/// one has it.
std::vector<Json> read_training_history(const std::filesystem::path& attempt);

}  // namespace kernmill
