#include "kernmill/tasks/models/kmeans/settings.hpp"

#include <string>

#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {

KMeansSettings read_kmeans_settings(const Json& config) {
  const Json& model = setting(config, "model");
  KMeansSettings settings;
  settings.k = setting_as<std::uint64_t>(model, "k");
  if (settings.k == 0 || settings.k > (std::uint64_t{1} << 30U))
    throw SpecError("spec.json: model.k is " + std::to_string(settings.k));
  const auto init = setting_as<std::string>(model, "init");
  if (init != "parallel" && init != "plus_plus")
    throw SpecError("spec.json: '" + init + "' is no start of k-means");
  settings.init = init == "parallel" ? KMeansStart::parallel : KMeansStart::plus_plus;
  settings.restarts = setting_as<std::uint64_t>(model, "restarts");
  settings.max_iterations = setting_as<std::uint64_t>(model, "max_iterations");
  settings.tolerance = setting_as<double>(model, "tolerance");
  if (model.contains("batch_size")) settings.batch_size = setting_as<std::uint64_t>(model, "batch_size");
  settings.epochs = setting_as<std::uint64_t>(model, "epochs");
  settings.seed = setting_as<std::uint64_t>(config, "seed");
  if (config.contains("cache")) settings.cache = setting_as<std::uint64_t>(config, "cache");
  if (settings.restarts == 0 || settings.batch_size == 0U)
    throw SpecError("spec.json: model.restarts or model.batch_size is 0");
  return settings;
}

}  // namespace kernmill::tasks
