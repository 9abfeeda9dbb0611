#include "kernmill/tasks/models/network/network_settings.hpp"

#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {

double dropout_of(const Json& model) {
  const double dropout = model.contains("dropout") ? setting_as<double>(model, "dropout") : 0.0;
  if (!(dropout >= 0 && dropout < 1)) throw SpecError("spec.json: model.dropout is not in [0, 1)");
  return dropout;
}

double huber_delta_of(const Json& model) {
  if (!model.contains("loss") || setting_as<std::string>(model, "loss") != "huber") return 0;
  const auto delta = setting_as<double>(model, "delta");
  if (!(delta > 0)) throw SpecError("spec.json: model.delta is not positive");
  return delta;
}

}  // namespace kernmill::tasks
