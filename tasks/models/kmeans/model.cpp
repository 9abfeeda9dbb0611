#include "kernmill/tasks/models/kmeans/model.hpp"

#include "kernmill/tasks/models/kmeans/settings.hpp"

namespace kernmill::tasks {

std::uint64_t kmeans_steps_per_period(const Json& config, std::uint64_t rows) {
  const KMeansSettings settings = read_kmeans_settings(config);
  return settings.batch_size ? (rows + *settings.batch_size - 1) / *settings.batch_size : 1;
}

extern constinit const ModelKind kmeans_model{.type = "kmeans",
                                              .fit = fit_kmeans,
                                              .open = open_kmeans,
                                              .steps_per_period = kmeans_steps_per_period,
                                              .own_scores = kmeans_scores};

}  // namespace kernmill::tasks
