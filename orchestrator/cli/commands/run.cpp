#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "kernmill/cli/arguments.hpp"
#include "kernmill/cli/runs/audited.hpp"
#include "kernmill/cli/runs/cluster_run.hpp"
#include "kernmill/cli/runs/conduct.hpp"
#include "kernmill/cli/runs/known_roots.hpp"
#include "kernmill/cli/runs/load_workflow.hpp"
#include "kernmill/cli/runs/part_of_run.hpp"
#include "kernmill/cli/runs/programs.hpp"
#include "kernmill/cli/runs/run_root.hpp"

namespace kernmill::cli {
namespace {

int run(const Command& self, const std::vector<std::string>& words, const Hooks& hooks) {
  boost::program_options::options_description options;
  add_workflow_options(options);
  add_part_options(options);
  add_runs_option(options);
  add_conduct_options(options);
  Arguments arguments(self, options, {"workflow"});
  if (!arguments.parse(words)) return exit_done;
  const std::string file = arguments.required("workflow");
  check_conduct_options(arguments);

  auto workflow = load_workflow(arguments, file);
  if (!workflow) return exit_usage;
  const auto root = new_run_root(arguments, workflow->base_directory);
  Plan plan = plan_of_part(std::move(*workflow), arguments, root);
  if (arguments.text("scheduler") == "slurm") return submit_new(plan, root, arguments, hooks, /*wait=*/true);
  check_variables(plan.workflow());
  NewRun made = freeze(plan, root);
  remember_run_root(made.directory.root().parent_path());
  audit(made.directory, self.name, arguments, &plan.workflow());
  return conduct(made.directory, plan, /*resumed=*/false, arguments, hooks, std::move(made.lock));
}

}  // namespace

const Command run_command{
    "run", "run a workflow in the foreground, here or on a cluster", "WORKFLOW [options]",
    "  kernmill run iris_svm.yaml\n"
    "  kernmill run iris_svm.yaml --set seed=1 --cores 8\n"
    "  kernmill run iris_svm.yaml --fail-fast --no-cache\n"
    "  kernmill run iris_svm.yaml --until fit           fit, and what it needs\n"
    "  kernmill run iris_svm.yaml --scheduler slurm     submits it, and waits for its end\n",
    run};

}  // namespace kernmill::cli
