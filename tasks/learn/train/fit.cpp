#include "kernmill/tasks/learn/train/fit.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "kernmill/tasks/learn/rows/class_counts.hpp"
#include "kernmill/tasks/learn/rows/memory.hpp"
#include "kernmill/tasks/learn/train/mini_batch.hpp"
#include "kernmill/tasks/learn/train/row_losses.hpp"
#include "kernmill/tasks/models/model_kind.hpp"
#include "kernmill/tasks/models/network/make_network.hpp"
#include "kernmill/tasks/models/network/model_parameters.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

/// The mean loss of all rows, and of all outputs of a numeric target.
double mean_loss(const Evaluation& at, const Network& network, std::uint64_t rows) {
  const double loss = std::accumulate(at.loss.begin(), at.loss.end(), 0.0) / static_cast<double>(rows);
  return network.shape().loss == Loss::squared_error ? loss / static_cast<double>(at.loss.size()) : loss;
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
  } else {
    metrics["train_accuracy"] = at.right / static_cast<double>(rows);
  }
  if (trained.best_epoch > 0) {
    metrics["best_epoch"] = trained.best_epoch;
    metrics["validation_loss"] = trained.held_out_loss;
  }
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
  ended.trained =
      settings.optimizer.type == OptimizerType::lbfgs
          ? minimize_lbfgs(settings.optimizer, objective, std::move(start), session)
          : descend(settings.optimizer, criterion.step_weight, objective, std::move(start), session);
  ended.at = objective.without_gradient(ended.trained.parameters);
  return ended;
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

/// The criterion at parameters, of what the rows' losses add up to.
Evaluation evaluation_of(const Criterion& criterion, const Network& network,
                         const std::vector<double>& parameters, std::vector<double> losses) {
  Evaluation at;
  at.right = losses.back();
  losses.pop_back();
  at.value = criterion.weight * std::accumulate(losses.begin(), losses.end(), 0.0) +
             criterion.penalty_of(network, parameters);
  at.loss = std::move(losses);
  return at;
}

template <class T>
kernels::Vector<kernels::Device, T> on_device(const std::vector<double>& parameters) {
  const std::vector<T> values(parameters.begin(), parameters.end());
  auto out = kernels::make_vector<kernels::Device, T>(values.size());
  Kokkos::deep_copy(out, kernels::host_vector(values.data(), values.size()));
  return out;
}

/// Throws TaskError where the training cannot be laid out as it is asked to.
Layout layout_of(const TrainSettings& settings, const FitData& data, const Network& network,
                 const Communicator& comm) {
  Layout layout = settings.layout;
  const auto ranks = static_cast<std::uint64_t>(comm.size());
  if (layout.data == 0) layout.data = std::max<std::uint64_t>(ranks / (layout.tensor * layout.pipeline), 1);
  require_fit(layout, network.shape().widths, ranks);
  if (layout.is_plain()) return layout;
  const auto refuse = [](const char* what, const char* help) {
    throw TaskError(fmt::format("'parallel' cannot share the layers of a training with {}", what), {}, help);
  };
  if (data.rows.is_sparse())
    refuse("sparse rows", "store the rows densely in the preprocess stage, or share rows alone: data");
  if (settings.optimizer.clip_norm) refuse("clip_norm", "leave clip_norm out, or share rows alone: data");
  return layout;
}

template <class T>
Ended in_batches(const TrainSettings& settings, const Criterion& criterion, const FitData& data,
                 const Network& described, const std::vector<double>& start, Session& session) {
  const Rows &rows = data.rows, &held_out = data.held_out;
  NetworkOf<T> network(described.shape());
  network.weigh_classes_as(described);
  BatchTask<T> task{settings.optimizer, settings.seed, criterion, rows, network};
  task.summing = settings.exact ? Summing::exact : Summing::fast;
  task.reads = rows.prefers_large_reads() ? Reads::large : Reads::rows;
  std::optional<NetworkPart<T>> part;
  if (const Layout layout = layout_of(settings, data, described, session.comm()); !layout.is_plain()) {
    task.part = &part.emplace(session.comm(), network, layout);
    task.summing = Summing::exact;
  }
  std::optional<RowLosses<T>> judge;
  if (settings.optimizer.early_stopping) {
    judge.emplace(session.comm(), held_out, network, memory_for_rows(session.comm()));
    task.held_out = [&](const std::vector<double>& parameters) {
      return mean_loss(evaluation_of(criterion, described, parameters, (*judge)(on_device<T>(parameters))),
                       described, held_out.count());
    };
  }
  Trained trained = train_in_batches(task, start, session);
  RowLosses<T> losses(session.comm(), rows, network, 0);  // one pass: nothing to keep
  Evaluation at =
      evaluation_of(criterion, described, trained.parameters, losses(on_device<T>(trained.parameters)));
  return {std::move(trained), std::move(at)};
}

Ended run_method(const TrainSettings& settings, const Criterion& criterion, const FitData& data,
                 Network& network, Session& session) {
  const Rows& rows = data.rows;
  std::vector<double> start = start_of(settings, data, network, session);
  if (settings.optimizer.is_full_batch()) {
    if (settings.layout.tensor > 1 || settings.layout.pipeline > 1 || settings.layout.slices > 1)
      throw TaskError("'parallel' lays out a training in mini-batches, and this one is of all rows at once",
                      {}, "use the optimizer sgd, adam or adamw, or leave 'parallel' out");
    const std::uint64_t memory = settings.cache ? *settings.cache : memory_for_rows(session.comm());
    Objective objective(session, rows, network, criterion, memory);
    return in_full_batches(settings, criterion, objective, std::move(start), session);
  }
  return settings.single_precision ? in_batches<float>(settings, criterion, data, network, start, session)
                                   : in_batches<double>(settings, criterion, data, network, start, session);
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
void balance(Network& network, const std::vector<std::uint64_t>& counts) {
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
  network.weigh_classes(weights);
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
  const TrainSettings settings = read_train_settings(config);
  Network network = make_network(settings.model, rows.schema());
  if (rows.count() == 0) {
    throw TaskError("there are no rows to train on", {}, "look at the split of the preprocess stage");
  }
  if (settings.optimizer.early_stopping && data.held_out.count() == 0)
    throw TaskError("there are no validation rows for early stopping", {},
                    "give the preprocess stage a split with validation rows");
  const auto counts = class_counts(session.comm(), rows);
  if (settings.balanced) balance(network, counts);
  const auto missing = missing_classes(rows.schema(), counts);
  if (session.comm().is_root() && !missing.empty()) complain_about(missing, rows.schema().classes.size());
  const bool numbers = network.shape().loss == Loss::squared_error;
  const Criterion criterion =
      settings.model.kind->criterion(settings.model, rows.count(), numbers ? rows.targets() : 1);
  const auto [trained, at] = run_method(settings, criterion, data, network, session);
  session.check_finite(at.value, trained.iterations, "step");
  Json metrics = metrics_of(settings, criterion, network, trained, at, rows.count());
  if (!missing.empty()) metrics["untrained_classes"] = missing.size();
  return {{std::string(settings.model.kind->type), without_layout(config).dump(), rows.schema(),
           tensors_of(network, trained.parameters, settings.single_precision)},
          std::move(metrics)};
}

}  // namespace kernmill::tasks
