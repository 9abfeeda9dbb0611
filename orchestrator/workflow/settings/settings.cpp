#include "kernmill/workflow/settings/settings.hpp"

#include <algorithm>

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
                                                          .train = {"model"},
                                                          .evaluate = {"report", "rejected"},
                                                          .tune = {"best", "trials"},
                                                          .deploy = {"predictions", "rejected"}};
  return artifacts[kind];
}

const std::vector<std::string>& metrics_of(TaskKind kind) {
  static const ByKind<std::vector<std::string>> metrics{
      .preprocess = {"rows", "features", "classes", "train_rows", "validation_rows", "test_rows", "rejected",
                     "imputed", "untrained_classes", "dependent_columns", "duality_gap"},
      .train = {"objective", "objective_per_class", "iterations", "epochs", "train_loss", "train_accuracy",
                "train_rmse", "best_epoch", "validation_loss", "rows", "untrained_classes"},
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
                   "naive_price_mape_*"},
      .tune = {"value", "trial", "trials", "failed"},
      .deploy = {"rows", "rejected", "imputed"}};
  return metrics[kind];
}

}  // namespace kernmill
