#include "kernmill/tasks/models/settings.hpp"

#include <string>

#include "kernmill/tasks/models/registry.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

void append_numbers(const Json& value, std::vector<double>& numbers) {
  if (value.is_array()) {
    for (const Json& part : value) append_numbers(part, numbers);
  } else if (value.is_number()) {
    numbers.push_back(value.get<double>());
  } else {
    throw SpecError("spec.json: model.init holds " + value.dump() + ", which is no number");
  }
}

void read_init(const Json& model, ModelSettings& settings) {
  if (!model.contains("init") || model.at("init").is_null()) return;
  const Json& init = model.at("init");
  if (init.contains("weights")) append_numbers(init.at("weights"), settings.initial_weights);
  if (init.contains("bias")) append_numbers(init.at("bias"), settings.initial_bias);
}

}  // namespace

ModelSettings read_model_settings(const Json& model) {
  ModelSettings settings;
  settings.kind = &model_kind(setting_as<std::string>(model, "type"));
  settings.kind->read_settings(model, settings);
  read_init(model, settings);
  return settings;
}

}  // namespace kernmill::tasks
