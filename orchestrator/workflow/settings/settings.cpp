#include "kernmill/workflow/settings/settings.hpp"

#include <algorithm>
#include <array>

#include "kernmill/workflow/by_kind.hpp"

namespace kernmill {

const Setting* Table::find(std::string_view name_or_alias) const {
  for (const Setting& setting : settings) {
    const auto& aliases = setting.aliases;
    if (setting.name == name_or_alias ||
        std::find(aliases.begin(), aliases.end(), name_or_alias) != aliases.end())
      return &setting;
  }
  return nullptr;
}

const Variant::Alternative* Variant::find(std::string_view type) const {
  for (const Alternative& alternative : alternatives)
    if (alternative.type == type) return &alternative;
  return nullptr;
}

const std::vector<std::string>& artifacts_of(TaskKind kind) {
  static const ByKind<std::vector<std::string>> artifacts{.preprocess = {"dataset", "rejected"},
                                                          .train = {"model", "history"},
                                                          .evaluate = {"report", "rejected"},
                                                          .tune = {"best", "trials"},
                                                          .deploy = {"predictions", "rejected"}};
  return artifacts[kind];
}

const std::vector<std::string>& metrics_of(TaskKind kind) {
  static const ByKind<std::vector<std::string>> metrics{
      .preprocess = {"rows", "features", "classes", "train_rows", "validation_rows", "test_rows", "rejected",
                     "imputed", "untrained_classes"},
      .train = {"objective",          "objective_per_class",
                "objective_per_pair", "support_vectors",
                "iterations",         "epochs",
                "train_loss",         "train_accuracy",
                "train_rmse",         "best_epoch",
                "validation_loss",    "rows",
                "untrained_classes",  "inertia",
                "inertia_per_row",    "cluster_sizes",
                "converged",          "components",
                "explained_variance", "explained_variance_ratio",
                "dependent_columns",  "duality_gap"},
      .evaluate = {"accuracy",
                   "correct",
                   "rows",
                   "log_loss",
                   "precision",
                   "recall",
                   "f1",
                   "roc_auc",
                   "rejected",
                   "imputed",
                   "unknown_class_rows",
                   "rmse",
                   "mae",
                   "r2",
                   "naive_rmse",
                   "r2_vs_naive",
                   "dm_statistic",
                   "dm_p_value",
                   "price_rmse_*",
                   "price_mape_*",
                   "naive_price_rmse_*",
                   "naive_price_mape_*",
                   "inertia",
                   "inertia_per_row",
                   "silhouette",
                   "cluster_sizes",
                   "adjusted_rand",
                   "normalized_mutual_information",
                   "reconstruction_error",
                   "explained_variance",
                   "components"},
      .tune = {"value", "trial", "trials", "failed"},
      .deploy = {"rows", "rejected", "imputed"}};
  return metrics[kind];
}

const WithoutTarget* without_target(std::string_view model) {
  static const std::vector<WithoutTarget> all{
      {"kmeans",
       {"inertia", "inertia_per_row", "iterations", "cluster_sizes", "converged"},
       {"inertia", "inertia_per_row", "silhouette", "cluster_sizes", "adjusted_rand",
        "normalized_mutual_information"}},
      {"pca",
       {"components", "explained_variance", "explained_variance_ratio"},
       {"reconstruction_error", "explained_variance", "components"}}};
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.type == model; });
  return found == all.end() ? nullptr : &*found;
}

bool is_loss(std::string_view metric) {
  constexpr std::array losses{
      "log_loss", "rmse", "mae", "inertia", "inertia_per_row", "reconstruction_error"};
  return std::find(losses.begin(), losses.end(), metric) != losses.end();
}

}  // namespace kernmill
