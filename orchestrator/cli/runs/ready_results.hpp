#pragma once
#include "kernmill/plan/plan.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill::cli {

struct ReadyResultsOptions {
  bool no_cache = false;
  bool quiet = false;
};

/// Commits what earlier runs have made already, and skips what is known to be skipped: neither needs a job.
/// Journals it, and returns what is known afterwards.
RunRecord take_ready_results(const RunDirectory& run, const Plan& plan, const RunRecord& record,
                             JournalWriter& journal, const ReadyResultsOptions& options);

}  // namespace kernmill::cli
