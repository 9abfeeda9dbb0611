#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "kernmill/plan/plan.hpp"
#include "kernmill/workflow/parse/parser.hpp"
#include "kernmill/workflow/text/unicode.hpp"

using namespace kernmill;

namespace {

void require(bool truth) {
  if (!truth) std::abort();
}

/// A folder in which there is every file that is asked for, each a table of flowers.
Files flowers() {
  static const std::string table = "width,length,species\n1,2,setosa\n";
  return {[](const std::filesystem::path& path) { return path.string().find('*') == std::string::npos; },
          [](const std::filesystem::path&, std::uint64_t offset, std::uint64_t count) {
            return std::optional(offset < table.size() ? table.substr(offset, count) : "");
          }};
}

/// What a valid workflow promises: a plan that can be written, read, and asked for its instances.
void plan_it(Workflow workflow) {
  const Plan plan(std::move(workflow));
  const Json json = to_json(plan);
  require(to_json(plan_from_json(json)) == json);
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage) {
    const std::uint32_t count = plan.instance_count(stage);
    for (const std::uint32_t index : {std::uint32_t{0}, count / 2, count - 1}) {
      if (index >= count) continue;
      const InstanceId id{stage, index};
      try {
        plan.config(id);
        plan.env(id);
        plan.inputs(id);
        plan.resources(id);
      } catch (const ExpressionError&) {  // of a value of the matrix that cannot be computed with
      } catch (const std::runtime_error&) {
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const SourceFile source{"flow.yaml", std::string(reinterpret_cast<const char*>(data), size)};
  Diagnostics diagnostics;
  Workflow workflow =
      parse_workflow(source, {.set = {{"seed", "[1, 2]"}}, .outer_defaults = {}}, flowers(), diagnostics);
  const std::string shown = render(diagnostics, false);
  require(printable(shown) == shown);
  bool other = false;
  for (const Diagnostic& diagnostic : diagnostics.all())
    other = other || (diagnostic.severity == Diagnostic::Severity::error &&
                      diagnostic.message != "unknown parameter 'seed'");
  if (!other && !workflow.stages.empty()) plan_it(std::move(workflow));
  return 0;
}
