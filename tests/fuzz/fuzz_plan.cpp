#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include "kernmill/plan/job_plan.hpp"
#include "kernmill/plan/plan.hpp"
#include "kernmill/workflow/value/json_text.hpp"

using namespace kernmill;

namespace {

void ask(const Plan& plan) {
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage) {
    if (plan.instance_count(stage) == 0) continue;
    const InstanceId id{stage, plan.instance_count(stage) - 1};
    try {
      plan.config(id);
      plan.env(id);
      plan.inputs(id);
      plan.resources(id);
    } catch (const std::exception&) {  // a template that does not fit its values: told where it is asked for
    }
    plan.label(id);
    plan.written_values(id);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const Json json = parse_json(text);
    try {
      const Plan plan = plan_from_json(json);
      ask(plan);
      array_from_json(json, plan);
    } catch (const std::runtime_error& error) {
      if (std::string_view(error.what()).find("used: [json.exception") != std::string_view::npos)
        __builtin_trap();
    }
  } catch (const std::invalid_argument&) {
  }
  return 0;
}
