#include <cstdio>

#include "kernmill/plan/plan.hpp"
#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/workflow/parse/parser.hpp"

/// Parses a workflow and prints how many instances its plan has, by the installed libraries alone.
int main() {
  const kernmill::SourceFile source{"study.yaml",
                                    "name: study\n"
                                    "stages:\n"
                                    "  throw:\n"
                                    "    matrix: {a: [1, 2, 3], b: [x, y]}\n"
                                    "    run: echo hello\n"};
  kernmill::Diagnostics diagnostics;
  auto workflow = kernmill::parse_workflow(source, {}, kernmill::real_files(), diagnostics);
  if (diagnostics.has_errors()) {
    std::fputs(render(diagnostics, false).c_str(), stderr);
    return 1;
  }
  const kernmill::Plan plan(std::move(workflow));
  const auto range = kernmill::storage::even_share(10, 1, 4);
  std::printf("%u instances, rank 1 of 4 holds rows %u to %u\n",
              static_cast<unsigned>(plan.total_instances()), static_cast<unsigned>(range.begin),
              static_cast<unsigned>(range.end));
}
