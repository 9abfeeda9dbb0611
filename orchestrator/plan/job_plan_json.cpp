#include <array>
#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/plan/job_plan.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill {
namespace {

using Kind = ArrayPlan::Wait::Kind;
constexpr std::array<std::string_view, 3> kind_names{"aftercorr", "afterok", "afterany"};

Kind kind_in(const std::string& name) {
  for (std::size_t i = 0; i < kind_names.size(); ++i)
    if (kind_names[i] == name) return static_cast<Kind>(i);
  throw std::invalid_argument(fmt::format("'{}' is no way for one array to wait for another", name));
}

}  // namespace

std::string_view to_string(ArrayPlan::Wait::Kind kind) {
  return kind_names.at(static_cast<std::size_t>(kind));
}

Json to_json(const ArrayPlan& array, const Plan& plan) {
  Json waits = Json::array();
  for (const auto& wait : array.waits)
    waits.push_back({{"array", wait.array}, {"kind", to_string(wait.kind)}});
  return {{"key", array.key},
          {"stage", plan.stage(array.stage).name},
          {"instances", array.instances.text()},
          {"first", array.first},
          {"pack", array.pack},
          {"slots", array.slots},
          {"attempt", array.attempt},
          {"is_array", array.is_array},
          {"max_parallel", array.max_parallel},
          {"resources", to_json(array.resources)},
          {"waits", std::move(waits)},
          {"after_jobs", array.after_jobs}};
}

ArrayPlan array_from_json(const Json& json, const Plan& plan) try {
  ArrayPlan array;
  array.key = json.at("key");
  array.stage = plan.stage_number(json.at("stage").get<std::string>());
  array.instances = IndexRanges::parse(json.at("instances").get<std::string>());
  array.first = json.at("first");
  array.pack = json.at("pack");
  array.slots = json.at("slots");
  array.attempt = json.at("attempt");
  array.is_array = json.at("is_array");
  array.max_parallel = json.at("max_parallel");
  array.resources = to_resources(json.at("resources"));
  for (const Json& wait : json.at("waits"))
    array.waits.push_back({wait.at("array"), kind_in(wait.at("kind"))});
  array.after_jobs = json.at("after_jobs").get<std::vector<std::string>>();
  if (array.pack == 0 || array.slots == 0) throw std::invalid_argument("pack and slots are 1 at least");
  return array;
} catch (const std::exception& error) {
  throw std::runtime_error(
      fmt::format("the journal is damaged: it does not say what was submitted as array '{}': {}; kernmill "
                  "cancel ends what is "
                  "left of the run, and the workflow can be run anew",
                  text_in(json, "key"), plain_words(error)));
}

}  // namespace kernmill
