#include "kernmill/tasks/learn/train/fit_network.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "kernmill/tasks/learn/rows/class_counts.hpp"
#include "kernmill/tasks/learn/rows/constant_columns.hpp"
#include "kernmill/tasks/learn/rows/memory.hpp"
#include "kernmill/tasks/learn/train/interior_point.hpp"
#include "kernmill/tasks/learn/train/least_squares.hpp"
#include "kernmill/tasks/learn/train/mini_batch.hpp"
#include "kernmill/tasks/learn/train/newton.hpp"
#include "kernmill/tasks/learn/train/row_losses.hpp"
#include "kernmill/tasks/learn/train/settings.hpp"
#include "kernmill/tasks/learn/train/training_layout.hpp"
#include "kernmill/tasks/models/network/make_network.hpp"
#include "kernmill/tasks/models/network/model_parameters.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

/// The mean loss of all rows, by what they weigh together, and of all outputs of a numeric target.
double mean_loss(const Evaluation& at, const Network& network, double weight) {
  const double loss = std::accumulate(at.loss.begin(), at.loss.end(), 0.0) / weight;
  return network.shape().loss.is_of_numbers() ? loss / static_cast<double>(at.loss.size()) : loss;
}

Json metrics_of(const TrainSettings& settings, const Criterion& criterion, const Network& network,
                const Trained& trained, const Evaluation& at, const FitData& data) {
  const std::uint64_t rows = data.rows.count();
  const double loss = mean_loss(at, network, data.weight);
  Json metrics = {{"objective", at.value}};
  if (settings.model->kind->network->one_against_rest) {
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
  const LeastSquaresPenalty model = *settings.model->least_squares();
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
  const std::string_view type = settings.model->kind->type;
  if (how.type == OptimizerType::newton && network.layers().size() > 1)
    throw TaskError(fmt::format("newton is for linear models, and {} is none", type), {},
                    "use lbfgs, or a method of mini-batches");
  if (how.goes_by_moments() && !settings.model->least_squares())
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
  if (const auto penalty = settings.model->least_squares();
      penalty && penalty->l1 > 0 && how.type != OptimizerType::coordinate_descent)
    throw TaskError("an l1 penalty has no gradient for this optimizer to follow", {},
                    "optimizer: coordinate_descent");
  if (settings.single_precision && (how.is_full_batch() || !settings.model->has_single_precision()))
    throw TaskError(fmt::format("{} is for a network that is trained in mini-batches",
                                settings.rounds_factors ? "mixed precision" : "float32"),
                    {}, "leave 'precision' out: all else is computed in float64");
  if (!settings.exact && how.is_full_batch())
    throw TaskError("the sums of a full-batch method are always exact", {},
                    "leave 'exact' out, or use sgd, adam or adamw");
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
  if (start.type != settings.model->kind->type)
    refuse_start(fmt::format("is a {}, and this one is a {}", start.type, settings.model->kind->type));
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
  if (data.start == nullptr) return settings.model->start(network, settings.seed);
  const storage::Schema& schema = data.rows.schema();
  require_alike(*data.start, settings, schema, network);
  if (session.comm().is_root() && data.start->schema.steps != schema.steps)
    fmt::print(
        stderr,
        "warning: the model of 'start_from' learned from features that were prepared with other numbers "
        "(means, scales, ...) than these: it begins further from its goal\n");
  return parameters_of(*data.start, network);
}

template <class T>
kernels::Vector<kernels::Device, T> on_device(const std::vector<double>& parameters) {
  const std::vector<T> values(parameters.begin(), parameters.end());
  auto out = kernels::make_vector<kernels::Device, T>(values.size());
  Kokkos::deep_copy(out, kernels::host_vector(values.data(), values.size()));
  return out;
}

/// Collective. How many bytes a rank of a training in mini-batches may keep rows in when nobody says so: each
/// of them keeps all.
std::uint64_t memory_for_batches(const Communicator& comm) {
  constexpr std::uint64_t of_node = std::uint64_t{1} << 30;
  const auto share = of_node / static_cast<std::uint64_t>(comm.ranks_on_node());
  return comm.allreduce(std::min(memory_for_rows(comm), share), Reduction::min);
}

/// Collective.
double weight_of_held_out(const Communicator& comm, const Rows& held_out) {
  const double weight = weight_of(comm, held_out);
  if (weight > 0) return weight;
  throw TaskError(fmt::format("the weight '{}' of every validation row is 0, and early stopping goes by them",
                              held_out.schema().weight),
                  {}, "leave `early_stopping` out, or split the rows otherwise");
}

template <class T>
Ended in_batches(const TrainSettings& settings, const Criterion& criterion, const FitData& data,
                 const Network& described, const std::vector<double>& start, Session& session) {
  const Rows &rows = data.rows, &held_out = data.held_out;
  NetworkShape shape = described.shape();
  if (settings.rounds_factors) shape.multiply = kernels::Multiply::bfloat16;
  NetworkOf<T> network(shape), judged(described.shape());  // judged: as it will predict
  network.weigh_classes_as(described);
  judged.weigh_classes_as(described);
  if (rows.is_weighted()) network.tell_weight();
  BatchTask<T> task{settings.optimizer, settings.seed, criterion, rows, network, data.weight};
  task.summing = settings.exact ? Summing::exact : Summing::fast;
  task.balancing = settings.balancing;
  task.reads = rows.prefers_large_reads() ? Reads::large : Reads::rows;
  task.memory = settings.cache ? *settings.cache : memory_for_batches(session.comm());
  std::optional<NetworkPart<T>> part;
  if (!settings.layout.is_plain()) {
    task.part = &part.emplace(session.comm(), network, settings.layout);
    task.summing = Summing::exact;
  }
  std::optional<RowLosses<T>> judge;
  if (settings.optimizer.early_stopping) {
    judge.emplace(session.comm(), held_out, judged, memory_for_rows(session.comm()));
    const double weight = weight_of_held_out(session.comm(), held_out);
    task.held_out = [&, weight](const std::vector<double>& parameters) {
      return mean_loss(evaluation_of(criterion, described, parameters, (*judge)(on_device<T>(parameters))),
                       described, weight);
    };
  }
  Trained trained = train_in_batches(task, start, session);
  RowLosses<T> losses(session.comm(), rows, judged, 0);  // one pass: nothing to keep
  Evaluation at =
      evaluation_of(criterion, described, trained.parameters, losses(on_device<T>(trained.parameters)));
  return {std::move(trained), std::move(at)};
}

Ended run_method(const TrainSettings& settings, const Criterion& criterion, const FitData& data,
                 Network& network, const std::vector<double>& class_weights, Session& session) {
  const Rows& rows = data.rows;
  RowPlan plan{0, settings.shards, class_weights.empty() ? nullptr : &class_weights, settings.balancing,
               data.weight};
  std::vector<double> start = start_of(settings, data, network, session);
  if (settings.optimizer.is_full_batch()) {
    if (!settings.layout.is_plain())
      throw TaskError("'parallel' lays out a training in mini-batches, and this one is of all rows at once",
                      {}, "use the optimizer sgd, adam or adamw, or leave 'parallel' out");
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
  return settings.single_precision ? in_batches<float>(settings, criterion, data, network, start, session)
                                   : in_batches<double>(settings, criterion, data, network, start, session);
}

/// Each class has the same weight, and all rows together that of their number; weights of their own are not
/// looked at, as in scikit-learn's compute_class_weight.
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

/// What the ranks have, before they are laid out. Collective.
MemoryLayout memory_of(const TrainSettings& settings, const Session& session) {
  const Communicator& comm = session.comm();
  const double cache = static_cast<double>(
      settings.cache ? *settings.cache : comm.allreduce(memory_for_rows(comm), Reduction::min));
  const int on_node = comm.allreduce(comm.ranks_on_node(), Reduction::max);
  const double node = comm.allreduce(static_cast<double>(available_memory()), Reduction::min);
  return {comm.size(), on_node, node, cache, session.keeps_checkpoints(), {}, may_share_layers(settings)};
}

/// Before anything is read: what it takes, and whether it is there.
void check_memory(const TrainSettings& settings, const Network& network, const RowsSize& rows,
                  const MemoryLayout& layout, const Session& session) {
  if (session.talks())
    fmt::print("{}\n", text_of(memory_need(settings.optimizer, network.shape(), rows, layout), layout));
  require_room(settings.optimizer, network.shape(), rows, layout);
}

}  // namespace

std::uint64_t network_steps_per_period(const Json& config, std::uint64_t rows) {
  const TrainSettings settings = read_train_settings(config);
  if (settings.optimizer.is_full_batch()) return 1;
  const std::uint64_t step = settings.optimizer.rows_of_step();
  return (rows + step - 1) / step;
}

Fit fit_network(const Json& config, const FitData& data, Session& session) {
  const Rows& rows = data.rows;
  TrainSettings settings = settings_for(read_train_settings(config), rows, session);
  Network network = make_network(*settings.model, rows.schema());
  require_method(settings, network);
  if (settings.optimizer.early_stopping && data.held_out.count() == 0)
    throw TaskError("there are no validation rows for early stopping", {},
                    "give the preprocess stage a split with validation rows");
  MemoryLayout memory = memory_of(settings, session);
  if (!settings.optimizer.is_full_batch())
    settings.layout = memory.layers = layout_of(settings, data, network, memory, session);
  check_memory(settings, network, size_of(data), memory, session);
  if (const auto columns = constant_columns(rows.schema()); session.talks() && !columns.empty())
    fmt::print("note: {}\n", told_constant(columns));
  const auto counts = class_counts(session.comm(), rows);
  std::vector<double> class_weights;
  if (settings.balanced)
    network.weigh_classes(
        class_weights = balanced_weights(
            rows.is_weighted() ? class_counts(session.comm(), rows.without_weights()) : counts));
  const std::uint64_t missing = warn_of_missing_classes(session.comm(), rows.schema(), counts);
  const bool numbers = network.shape().loss.is_of_numbers();
  const Criterion criterion = settings.model->criterion(data.weight, numbers ? rows.targets() : 1);
  const auto [trained, at] = run_method(settings, criterion, data, network, class_weights, session);
  session.check_finite(at.value, trained.iterations, "step");
  Json metrics = metrics_of(settings, criterion, network, trained, at, data);
  if (missing > 0) metrics["untrained_classes"] = missing;
  return {{std::string(settings.model->kind->type), without_layout(config).dump(), rows.schema(),
           tensors_of(network, trained.parameters, settings.single_precision)},
          std::move(metrics)};
}

}  // namespace kernmill::tasks
