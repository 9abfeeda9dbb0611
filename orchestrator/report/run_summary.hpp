#pragma once
#include <string>

#include "kernmill/report/paint.hpp"
#include "kernmill/report/run_status.hpp"

namespace kernmill {

/// What the run found: the metrics and products of the stages that a person started it for. For stdout.
std::string results_text(const RunStatus& status);

/// The same of one stage, whatever it is for, with what its running instances have written so far.
std::string results_text(const RunStatus& status, std::uint32_t stage);

/// What could not be read of what instances left: the first of them, and how many there are. Empty when all
/// could.
std::string warnings_text(const RunStatus& status, const Paint& paint);

/// For each failed instance: which, why, what it said, where its logs are and how to look at them; then what
/// it kept from running. Empty when nothing failed.
std::string failures_text(const RunStatus& status, const Paint& paint);

/// The last lines of a run: how it went, where it lies, what to type next.
std::string closing_text(const RunStatus& status, const Paint& paint);

/// The stages of a run, a line each.
std::string stages_text(const RunStatus& status, const Paint& paint);

}  // namespace kernmill
