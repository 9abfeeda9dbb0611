#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/cli/arguments.hpp"
#include "kernmill/plan/plan.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/submit/estimate.hpp"
#include "kernmill/workflow/text/diagnostic.hpp"

namespace kernmill::cli {

/// Adds --scheduler to a command that only asks.
void add_question_option(boost::program_options::options_description& options);

/// Whether the user wants the cluster to be asked: --scheduler slurm. Throws UsageError for a name that is
/// none.
bool asks_cluster(const Arguments& arguments);

/// What the cluster says of a plan.
struct ClusterAnswer {
  std::string description;               ///< "Slurm 22.05.8"
  std::string silence;                   ///< why there is no answer; empty when there is one
  Diagnostics findings;                  ///< what it would refuse
  std::vector<StageEstimate> estimates;  ///< by stage; empty when there is no answer
};

/// Never throws for a cluster that does not answer. `run` stands for the run to come.
ClusterAnswer ask_cluster(const Plan& plan, const RunDirectory& run);

/// "at most 12 core-hours, would start about 14:05 (in 2 min 10 s)": for people, marked as estimates.
std::string estimate_text(const StageEstimate& estimate, std::chrono::system_clock::time_point now);
Json estimate_json(const StageEstimate& estimate);
/// `{answered, cluster, ...}`
Json answer_json(const ClusterAnswer& answer);
/// The lines that stand for the whole plan.
std::string answer_text(const ClusterAnswer& answer);

}  // namespace kernmill::cli
