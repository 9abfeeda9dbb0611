#include "kernmill/tasks/models/kernel_svm/settings.hpp"

#include <limits>
#include <string>

#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

kernels::KernelType kernel_type_of(const std::string& name) {
  using kernels::KernelType;
  if (name == "rbf") return KernelType::rbf;
  if (name == "polynomial") return KernelType::polynomial;
  if (name == "linear") return KernelType::linear;
  throw SpecError("spec.json: '" + name + "' is no kernel");
}

void read_gamma(const Json& gamma, KernelSvmSettings& settings) {
  using Gamma = KernelSvmSettings::Gamma;
  if (gamma == "scale" || gamma == "auto") {
    settings.gamma = gamma == "scale" ? Gamma::scale : Gamma::by_features;
    return;
  }
  if (!gamma.is_number() || !(gamma.get<double>() > 0))
    throw SpecError("spec.json: model.gamma is " + gamma.dump() + ", which is no number above 0");
  settings.gamma = Gamma::given;
  settings.kernel.gamma = gamma.get<double>();
}

}  // namespace

KernelSvmSettings read_kernel_svm(const Json& model) {
  KernelSvmSettings settings;
  settings.kernel.type = kernel_type_of(setting_as<std::string>(model, "kernel"));
  read_gamma(setting(model, "gamma"), settings);
  const auto degree = setting_as<std::uint64_t>(model, "degree");
  if (degree > std::numeric_limits<unsigned>::max()) throw SpecError("spec.json: model.degree is too large");
  settings.kernel.degree = static_cast<unsigned>(degree);
  settings.kernel.coef0 = setting_as<double>(model, "coef0");
  settings.C = setting_as<double>(model, "C");
  settings.tolerance = setting_as<double>(model, "tolerance");
  if (!model.contains("random_features") || model.at("random_features").is_null()) return settings;
  settings.random_features = setting_as<std::uint64_t>(model, "random_features");
  if (settings.random_features < 2) throw SpecError("spec.json: model.random_features is below 2");
  return settings;
}

}  // namespace kernmill::tasks
