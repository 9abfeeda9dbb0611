#include <fmt/format.h>

#include "kernmill/cli/arguments.hpp"
#include "kernmill/cli/load_workflow.hpp"

namespace kernmill::cli {
namespace {

int validate(const Command& self, const std::vector<std::string>& words, const Hooks&) {
  boost::program_options::options_description options;
  add_workflow_options(options);
  Arguments arguments(self, options, {"workflow"});
  if (!arguments.parse(words)) return exit_done;
  const std::string file = arguments.required("workflow");

  Diagnostics diagnostics;
  const Workflow workflow = parse_named_workflow(arguments, file, diagnostics);
  if (!diagnostics.all().empty()) fmt::print(stderr, "{}", render(diagnostics, arguments.err_paint().on()));
  const bool valid = !diagnostics.has_errors();
  if (arguments.json()) {
    const Json json{{"schema_version", 1}, {"valid", valid}, {"diagnostics", to_json(diagnostics)}};
    fmt::print("{}\n", json.dump(2));
  } else if (valid) {
    fmt::print("{}: valid, {} stage{}\n", file, workflow.stages.size(),
               workflow.stages.size() == 1 ? "" : "s");
  }
  return valid ? exit_done : exit_usage;
}

}  // namespace

const Command validate_command{"validate", "check a workflow; every mistake is shown at once",
                               "WORKFLOW [options]",
                               "  kernmill validate iris_svm.yaml\n"
                               "  kernmill validate iris_svm.yaml --set seed=1\n",
                               validate};

}  // namespace kernmill::cli
