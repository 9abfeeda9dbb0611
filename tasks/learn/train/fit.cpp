#include "kernmill/tasks/learn/train/fit.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "kernmill/tasks/learn/rows/class_counts.hpp"
#include "kernmill/tasks/learn/rows/memory.hpp"
#include "kernmill/tasks/learn/train/interior_point.hpp"
#include "kernmill/tasks/learn/train/least_squares.hpp"
#include "kernmill/tasks/learn/train/mini_batch.hpp"
#include "kernmill/tasks/learn/train/newton.hpp"
#include "kernmill/tasks/models/model_kind.hpp"
#include "kernmill/tasks/models/network/make_network.hpp"
#include "kernmill/tasks/models/network/model_parameters.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

/// The mean loss of all rows, and of all outputs of a numeric target.
double mean_loss(const Evaluation& at, const Network& network, std::uint64_t rows) {
  const double loss = std::accumulate(at.loss.begin(), at.loss.end(), 0.0) / static_cast<double>(rows);
  return network.shape().loss.is_of_numbers() ? loss / static_cast<double>(at.loss.size()) : loss;
}

Json metrics_of(const TrainSettings& settings, const Criterion& criterion, const Network& network,
                const Trained& trained, const Evaluation& at, std::uint64_t rows) {
  const double loss = mean_loss(at, network, rows);
  Json metrics = {{"objective", at.value}};
  if (settings.model.kind->one_against_rest) {
    Json& each = metrics["objective_per_class"] = Json::array();
    for (std::size_t j = 0; j < at.loss.size(); ++j) {
      each.push_back(criterion.weight * at.loss[j] +
                     criterion.penalty_of_output(network, trained.parameters, j));
    }
  }
  metrics["iterations"] = trained.iterations;
  metrics["epochs"] = trained.epochs;
  metrics["train_loss"] = loss;
  if (network.shape().loss == Loss::squared_error) {
    metrics["train_rmse"] = std::sqrt(loss);
  } else if (!network.shape().loss.is_of_numbers()) {
    metrics["train_accuracy"] = at.right / static_cast<double>(rows);
  }
  if (trained.best_epoch > 0) {
    metrics["best_epoch"] = trained.best_epoch;
    metrics["validation_loss"] = trained.held_out_loss;
  }
  if (trained.dependent_columns) metrics["dependent_columns"] = *trained.dependent_columns;
  if (trained.duality_gap) metrics["duality_gap"] = *trained.duality_gap;
  metrics["rows"] = rows;
  return metrics;
}

/// How a model came to be, and where it stands.
struct Ended {
  Trained trained;
  Evaluation at;
};

Ended in_full_batches(const TrainSettings& settings, const Criterion& criterion, Objective& objective,
                      std::vector<double> start, Session& session) {
  Ended ended;
  const OptimizerSettings& how = settings.optimizer;
  ended.trained = how.type == OptimizerType::lbfgs ? minimize_lbfgs(how, objective, std::move(start), session)
                  : how.type == OptimizerType::newton
                      ? minimize_newton(how, objective, std::move(start), session)
                  : how.type == OptimizerType::interior_point
                      ? follow_central_path(how, objective, std::move(start), session)
                      : descend(how, criterion.step_weight, objective, std::move(start), session);
  ended.at = objective.without_gradient(ended.trained.parameters);
  return ended;
}

Trained by_moments(const TrainSettings& settings, const Rows& rows, const RowPlan& plan, Session& session) {
  const ModelSettings& model = settings.model;
  const LeastSquares problem{model.l1, model.l2, model.regularize_bias};
  const Moments moments = moments_of(session, rows, plan);
  // Without l1 the gap has no dual point to be measured by, and nothing has to be searched for.
  return settings.optimizer.type == OptimizerType::closed_form || model.l1 == 0
             ? solve_least_squares(problem, moments, rows.schema().features, session)
             : descend_coordinates(settings.optimizer, problem, moments, session);
}

/// Throws TaskError where the method cannot find this model.
void require_method(const TrainSettings& settings, const Network& network) {
  const OptimizerSettings& how = settings.optimizer;
  const std::string_view type = settings.model.kind->type;
  if (how.type == OptimizerType::newton && network.layers().size() > 1)
    throw TaskError(fmt::format("newton is for linear models, and {} is none", type), {},
                    "use lbfgs, or a method of mini-batches");
  if (how.goes_by_moments() && type != "linear_regression")
    throw TaskError(fmt::format("this optimizer is for linear_regression, and not for {}", type), {},
                    "leave 'optimizer' out");
  const bool corners = network.shape().loss.has_corners();
  if (corners != (how.type == OptimizerType::interior_point))
    throw TaskError(corners ? "a loss with corners has no gradient for this optimizer to follow"
                            : "interior_point is for losses with corners: hinge and epsilon_insensitive",
                    {}, corners ? "optimizer: interior_point, or a squared loss" : "leave 'optimizer' out");
  if (corners && network.layers().front().inputs > how.max_features)
    throw TaskError(
        fmt::format("{} features are more than max_features of interior_point, {}",
                    network.layers().front().inputs, how.max_features),
        {}, "give it more, if there is memory for their square for each class; or use the squared loss");
  if (how.goes_by_moments() && network.shape().loss != Loss::squared_error)
    throw TaskError("this optimizer is for the squared error", {}, "leave 'optimizer' out");
  if (settings.model.l1 > 0 && how.type != OptimizerType::coordinate_descent)
    throw TaskError("an l1 penalty has no gradient for this optimizer to follow", {},
                    "optimizer: coordinate_descent");
}

/// The method that does for so many features.
TrainSettings settings_for(TrainSettings settings, const Rows& rows, const Session& session) {
  OptimizerSettings& how = settings.optimizer;
  if (how.type != OptimizerType::closed_form || rows.features() <= how.max_features) return settings;
  if (session.comm().is_root())
    fmt::print("lbfgs in place of a closed form: {} features are more than max_features, {}\n",
               rows.features(), how.max_features);
  how.type = OptimizerType::lbfgs;
  how.objective_tolerance = 1e-8;
  return settings;
}

[[noreturn]] void refuse_start(const std::string& why) {
  throw TaskError("the model of 'start_from' " + why, {},
                  "start from one of the same kind, shape, features and target, or leave 'start_from' out");
}

/// Throws TaskError where the weights of that model would mean something else here.
void require_alike(const storage::Model& start, const TrainSettings& settings, const storage::Schema& schema,
                   const Network& network) {
  const auto& theirs = start.schema;
  if (start.type != settings.model.kind->type)
    refuse_start(fmt::format("is a {}, and this one is a {}", start.type, settings.model.kind->type));
  if (theirs.features != schema.features)
    refuse_start(fmt::format("knows other features: {} of them, and here are {}", theirs.features.size(),
                             schema.features.size()));
  if (theirs.classes != schema.classes || theirs.target_names != schema.target_names)
    refuse_start(fmt::format("predicts another target: '{}' as it was there, '{}' as it is here",
                             theirs.target, schema.target));
  if (network_of(start).shape() != network.shape())
    refuse_start("has other layers, or another activation of them");
}

/// Where training begins: in the parameters of another model, or in the model's own way.
std::vector<double> start_of(const TrainSettings& settings, const FitData& data, const Network& network,
                             const Session& session) {
  if (data.start == nullptr) return settings.model.kind->start(settings.model, network, settings.seed);
  const storage::Schema& schema = data.rows.schema();
  require_alike(*data.start, settings, schema, network);
  if (session.comm().is_root() && data.start->schema.steps != schema.steps)
    fmt::print(
        stderr,
        "warning: the model of 'start_from' learned from features that were prepared with other numbers "
        "(means, scales, ...) than these: it begins further from its goal\n");
  return parameters_of(*data.start, network);
}

Ended run_method(const TrainSettings& settings, const Criterion& criterion, const FitData& data,
                 Network& network, const std::vector<double>& class_weights, Session& session) {
  const Rows &rows = data.rows, &held_out = data.held_out;
  RowPlan plan{0, settings.shards, class_weights.empty() ? nullptr : &class_weights};
  std::vector<double> start = start_of(settings, data, network, session);
  if (settings.optimizer.is_full_batch()) {
    plan.memory = settings.cache ? *settings.cache : memory_for_rows(session.comm());
    if (settings.optimizer.goes_by_moments()) {
      Ended ended{by_moments(settings, rows, plan, session), {}};
      plan.memory = 0;
      ended.at =
          Objective(session, rows, network, criterion, plan).without_gradient(ended.trained.parameters);
      return ended;
    }
    Objective objective(session, rows, network, criterion, plan);
    return in_full_batches(settings, criterion, objective, std::move(start), session);
  }
  std::optional<Objective> judge;
  HeldOutLoss held_out_loss;
  if (settings.optimizer.early_stopping) {
    RowPlan judged = plan;
    judged.memory = memory_for_rows(session.comm());
    judge.emplace(session, held_out, network, criterion, judged);
    held_out_loss = [&](const std::vector<double>& parameters) {
      return mean_loss(judge->without_gradient(parameters), network, held_out.count());
    };
  }
  Trained trained =
      train_in_batches(settings.optimizer, settings.seed, criterion, rows, network, start, session,
                       rows.prefers_large_reads() ? Reads::large : Reads::rows, held_out_loss);
  Objective objective(session, rows, network, criterion, plan);  // one pass: nothing to keep
  Evaluation at = objective.without_gradient(trained.parameters);
  return {std::move(trained), std::move(at)};
}

/// The classes that none of the rows has: nothing can be learnt of them.
std::vector<std::string> missing_classes(const storage::Schema& schema,
                                         const std::vector<std::uint64_t>& counts) {
  std::vector<std::string> missing;
  for (std::size_t k = 0; k < counts.size(); ++k)
    if (counts[k] == 0) missing.push_back(schema.classes[k]);
  return missing;
}

/// Each class has the same weight, and all rows together that of their number.
std::vector<double> balanced_weights(const std::vector<std::uint64_t>& counts) {
  if (counts.empty())
    throw TaskError("class_weight is for a target of classes, and this one is a number", {},
                    "leave class_weight out");
  const auto rows = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  const auto there = static_cast<double>(
      std::count_if(counts.begin(), counts.end(), [](std::uint64_t count) { return count > 0; }));
  std::vector<double> weights;
  weights.reserve(counts.size());
  for (const std::uint64_t count : counts)
    weights.push_back(count == 0 ? 0.0 : rows / (there * static_cast<double>(count)));
  return weights;
}

void complain_about(const std::vector<std::string>& missing, std::size_t classes) {
  const std::string others =
      missing.size() == 1 ? "" : fmt::format(" (nor {} more of the {} classes)", missing.size() - 1, classes);
  fmt::print(
      stderr,
      "warning: no training row has the class '{}'{}: the model will not know it. Stratify the split of the "
      "preprocess stage, or shuffle there, since the folds of a search are every k-th row\n",
      missing.front(), others);
}

}  // namespace

std::uint64_t steps_per_period(const TrainSettings& settings, std::uint64_t rows) {
  if (settings.optimizer.is_full_batch()) return 1;
  return (rows + settings.optimizer.batch_size - 1) / settings.optimizer.batch_size;
}

Fit fit(const Json& config, const FitData& data, Session& session) {
  const Rows& rows = data.rows;
  const TrainSettings settings = settings_for(read_train_settings(config), rows, session);
  Network network = make_network(settings.model, rows.schema());
  if (rows.count() == 0) {
    throw TaskError("there are no rows to train on", {}, "look at the split of the preprocess stage");
  }
  require_method(settings, network);
  if (settings.optimizer.early_stopping && data.held_out.count() == 0)
    throw TaskError("there are no validation rows for early stopping", {},
                    "give the preprocess stage a split with validation rows");
  const auto counts = class_counts(session.comm(), rows);
  std::vector<double> class_weights;
  if (settings.balanced) network.weigh_classes(class_weights = balanced_weights(counts));
  const auto missing = missing_classes(rows.schema(), counts);
  if (session.comm().is_root() && !missing.empty()) complain_about(missing, rows.schema().classes.size());
  const bool numbers = network.shape().loss.is_of_numbers();
  const Criterion criterion =
      settings.model.kind->criterion(settings.model, rows.count(), numbers ? rows.targets() : 1);
  const auto [trained, at] = run_method(settings, criterion, data, network, class_weights, session);
  session.check_finite(at.value, trained.iterations, "step");
  Json metrics = metrics_of(settings, criterion, network, trained, at, rows.count());
  if (!missing.empty()) metrics["untrained_classes"] = missing.size();
  return {{std::string(settings.model.kind->type), config.dump(), rows.schema(),
           tensors_of(network, trained.parameters)},
          std::move(metrics)};
}

}  // namespace kernmill::tasks
