#include "kernmill/tasks/models/pca/settings.hpp"

#include <cmath>
#include <string>

#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {

PcaSettings read_pca_settings(const Json& config) {
  const Json& model = setting(config, "model");
  PcaSettings settings;
  settings.components = setting_as<double>(model, "components");
  const bool whole = std::floor(settings.components) == settings.components;
  if (!(settings.components > 0) || (settings.components >= 1 && !whole) || settings.components > 1e9)
    throw SpecError("spec.json: model.components is " + model.at("components").dump());
  settings.randomized = setting_as<std::string>(model, "method") == "randomized";
  if (settings.randomized) {
    if (settings.components < 1)
      throw SpecError("spec.json: the randomized method needs a number of components");
    settings.power_iterations = setting_as<std::uint64_t>(model, "power_iterations");
    settings.oversampling = setting_as<std::uint64_t>(model, "oversampling");
  }
  settings.whiten = setting_as<bool>(model, "whiten");
  settings.seed = setting_as<std::uint64_t>(config, "seed");
  return settings;
}

}  // namespace kernmill::tasks
