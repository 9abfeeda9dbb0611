#pragma once
#include <string>
#include <vector>

#include "kernmill/tasks/learn/score/scores.hpp"

namespace kernmill::tasks {

/// What is said of classes one by one, and of all of them by means. As scikit-learn's
/// precision_recall_fscore_support and roc_auc_score have it: a ratio without anything below its line is 0; a
/// class that no row has and that was never predicted is in no mean.
struct ClassReport {
  Json metrics = Json::object();   ///< precision, recall, f1: means over classes; roc_auc: of the second of
                                   ///< two classes, else the mean of each against the rest
  Json per_class = Json::array();  ///< {class, rows, precision, recall, f1, roc_auc, log_loss}
  Json weighted = Json::object();  ///< precision, recall, f1: means weighted by the rows of each class
};

/// `areas` are those of roc_auc.hpp.
ClassReport report_classes(const std::vector<std::string>& classes, const ClassScores& scores,
                           const std::vector<double>& areas);

}  // namespace kernmill::tasks
