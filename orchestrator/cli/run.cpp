#include <filesystem>

#include <fmt/format.h>

#include "kernmill/cli/arguments.hpp"
#include "kernmill/cli/conduct.hpp"
#include "kernmill/cli/load_workflow.hpp"
#include "kernmill/cli/run_root.hpp"

namespace kernmill::cli {
namespace {

/// The run's folder with what was asked and what was decided. A run has begun when plan.json is there.
RunDirectory freeze(const Plan& plan, const std::filesystem::path& root) {
  const Workflow& workflow = plan.workflow();
  RunDirectory run = create_run_directory(root, workflow.name, workflow.share_group);
  write_file_durably(run.workflow(), workflow.text);
  write_file_durably(run.plan(), to_json(plan).dump() + "\n");
  return run;
}

int run(const Command& self, const std::vector<std::string>& words, const Hooks& hooks) {
  boost::program_options::options_description options;
  add_workflow_options(options);
  add_runs_option(options);
  add_conduct_options(options);
  Arguments arguments(self, options, {"workflow"});
  if (!arguments.parse(words)) return exit_done;
  const std::string file = arguments.required("workflow");
  check_conduct_options(arguments);

  auto workflow = load_workflow(arguments, file);
  if (!workflow) return exit_usage;
  const auto root = new_run_root(arguments, workflow->base_directory);
  const Plan plan(std::move(*workflow));
  return conduct(freeze(plan, root), plan, /*resumed=*/false, arguments, hooks);
}

}  // namespace

const Command run_command{"run", "run a workflow here, in the foreground", "WORKFLOW [options]",
                          "  kernmill run iris_svm.yaml\n"
                          "  kernmill run iris_svm.yaml --set seed=1 --cores 8\n"
                          "  kernmill run iris_svm.yaml --fail-fast --no-cache\n",
                          run};

}  // namespace kernmill::cli
