#include <fmt/format.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/cli/arguments.hpp"
#include "kernmill/cli/runs/cluster_question.hpp"
#include "kernmill/cli/runs/load_workflow.hpp"
#include "kernmill/run/cluster_check/cluster_check.hpp"
#include "kernmill/scheduler/cluster_loader.hpp"

namespace kernmill::cli {
namespace {

int validate(const Command& self, const std::vector<std::string>& words, const Hooks&) {
  boost::program_options::options_description options;
  add_workflow_options(options);
  add_question_option(options);
  Arguments arguments(self, options, {"workflow"});
  if (!arguments.parse(words)) return exit_done;
  const std::string file = arguments.required("workflow");
  const bool ask = asks_cluster(arguments);

  Diagnostics diagnostics;
  Workflow workflow = parse_named_workflow(arguments, file, diagnostics);
  const std::size_t stages = workflow.stages.size();
  if (ask && !diagnostics.has_errors())
    check_against(Plan(std::move(workflow)), open_slurm()->facts(), diagnostics);
  if (!diagnostics.all().empty()) fmt::print(stderr, "{}", render(diagnostics, arguments.err_paint().on()));
  const bool valid = !diagnostics.has_errors();
  if (arguments.json()) {
    const Json json{{"schema_version", 1}, {"valid", valid}, {"diagnostics", to_json(diagnostics)}};
    fmt::print("{}\n", json.dump(2));
  } else if (valid) {
    fmt::print("{}: valid{}, {}\n", file, ask ? ", and the cluster can run it" : "",
               counted(stages, "stage"));
  }
  return valid ? exit_done : exit_usage;
}

}  // namespace

const Command validate_command{
    "validate", "check a workflow; every mistake is shown at once", "WORKFLOW [options]",
    "  kernmill validate iris_svm.yaml\n"
    "  kernmill validate iris_svm.yaml --set seed=1\n"
    "  kernmill validate iris_svm.yaml --scheduler slurm   can the cluster run it?\n",
    validate};

}  // namespace kernmill::cli
