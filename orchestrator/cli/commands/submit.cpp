#include <fmt/format.h>

#include "kernmill/cli/arguments.hpp"
#include "kernmill/cli/runs/cluster_run.hpp"
#include "kernmill/cli/runs/load_workflow.hpp"
#include "kernmill/cli/runs/part_of_run.hpp"
#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/run/cluster_check/cluster_capacity.hpp"
#include "kernmill/scheduler/cluster_loader.hpp"

namespace kernmill::cli {
namespace {

/// A dry run asks the cluster where there is one, and says what it assumes where there is none.
JobPlanOptions options_for_dry_run(const Plan& plan) {
  try {
    return job_plan_options(plan, open_slurm()->facts());
  } catch (const ClusterError& error) {
    fmt::print(stderr, "no cluster was asked, so an array has {} elements at most here: {}\n",
               JobPlanOptions{}.max_array_size, error.what());
    return {};
  }
}

int submit(const Command& self, const std::vector<std::string>& words, const Hooks& hooks) {
  boost::program_options::options_description options;
  add_workflow_options(options);
  add_part_options(options);
  add_runs_option(options);
  add_flag(options, "dry-run,n", "print the batch scripts of all jobs, and submit nothing");
  add_submit_options(options);
  add_flag(options, "fail-fast", "after a failure, cancel all that has not begun");
  add_flag(options, "no-cache", "run everything; take nothing from the cache");
  add_flag(options, "quiet,q", "print the name of the run alone");
  Arguments arguments(self, options, {"workflow"});
  if (!arguments.parse(words)) return exit_done;
  auto workflow = load_workflow(arguments, arguments.required("workflow"));
  if (!workflow) return exit_usage;
  const auto root = new_run_root(arguments, workflow->base_directory);
  Plan plan = plan_of_part(std::move(*workflow), arguments, root);
  if (arguments.has("dry-run")) {
    show_scripts(plan, options_for_dry_run(plan), root);
    return exit_done;
  }
  return submit_new(plan, root, arguments, hooks);
}

}  // namespace

const Command submit_command{"submit", "submit a workflow to Slurm, and log out", "WORKFLOW [options]",
                             "  kernmill submit iris_svm.yaml\n"
                             "  kernmill submit iris_svm.yaml --set seed=1 -p gpu\n"
                             "  kernmill submit iris_svm.yaml --dry-run\n"
                             "  kernmill submit iris_svm.yaml --wait\n",
                             submit};

}  // namespace kernmill::cli
