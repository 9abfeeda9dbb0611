#pragma once
#include <map>
#include <string>
#include <vector>

#include "kernmill/plan/plan.hpp"
#include "kernmill/run/cache/digest.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill {

/// A committed result that is no longer as it was committed.
struct LostResult {
  std::string stage;
  unsigned instance = 0, attempt = 0;
  std::string why;  ///< "/runs/a/stages/fit/0/attempt-1/model.h5 is gone"
};

/// Those whose artifacts have gone, or have another size or SHA-256 than the journal says; `record` has them
/// as never committed from then on, so that who goes on with the run makes them again. What was made of them
/// stays. A temporary artifact that is gone is lost when somebody who waits for it is still to run; that is
/// known with a plan alone.
std::vector<LostResult> take_out_lost_results(RunRecord& record, DigestStore& digests,
                                              const Plan* plan = nullptr);
/// The same, and journals them: for every reader they are open again.
std::vector<LostResult> give_up_lost_results(RunRecord& record, DigestStore& digests, JournalWriter& journal,
                                             const Plan* plan = nullptr);

/// The results of these instances, each with why it is to be made again, and of all that was made of them.
std::vector<LostResult> results_to_redo(const Plan& plan, const RunRecord& record,
                                        const std::map<InstanceId, std::string>& why);
/// Journals that they do not count any more.
void give_up_results(const std::vector<LostResult>& results, JournalWriter& journal);

/// A line for each, of a few at most: "fit[3] is made again: /runs/a/.../model.h5 is gone".
std::vector<std::string> to_lines(const std::vector<LostResult>& lost, const Plan& plan);

}  // namespace kernmill
