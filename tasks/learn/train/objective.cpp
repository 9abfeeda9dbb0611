#include "kernmill/tasks/learn/train/objective.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "kernmill/tasks/learn/train/vectors.hpp"

namespace kernmill::tasks {
namespace {

Network::Vector parameters_on_device(const std::vector<double>& parameters) {
  return kernels::on_space<kernels::Device>(parameters.data(), parameters.size());
}

std::optional<LinearPass> linear_pass(const Network& network, const RowPlan& plan) {
  if (network.layers().size() > 1) return std::nullopt;
  LinearPass pass(network.shape());
  if (plan.class_weights != nullptr) pass.weigh_classes(*plan.class_weights);
  return pass;
}

/// Empty where that is.
Network::Matrix part_of_rows(const Network::Matrix& all, std::size_t first, std::size_t count) {
  return all.extent(0) == 0 ? all : kernels::rows_of<kernels::Device>(all, first, count);
}

}  // namespace

Objective::Objective(Session& session, const Rows& rows, Network& network, const Criterion& criterion,
                     const RowPlan& plan)
    : session_(session),
      data_(rows),
      network_(network),
      linear_(linear_pass(network, plan)),
      criterion_(criterion),
      plan_(plan),
      rows_(rows.count()),
      balance_(plan.shards, session.comm().size(), plan.balancing),
      sum_(session.comm(), plan.shards, network.sums_length()),
      product_sum_(session.comm(), plan.shards, network.parameter_count()) {
  read_pieces();
}

void Objective::read_pieces() {
  pieces_.reset();  // first, as there may be no room for both
  pieces_.emplace(data_, network_.shape().loss, plan_, own_shards(),
                  linear_ ? linear_->rows_together() : Network::chunk_rows);
}

void Objective::adapt_shares() {
  if (!balance_.adapt()) return;
  session_.tell_shares(balance_.shares());
  session_.comm().agree([&] { read_pieces(); });
  curvature_ = Network::Matrix();
}

template <class Work>
std::span<const double> Objective::sum_shards(Sum& sum, const Work& work) {
  sum.set_shares(balance_.shares());
  const auto sums = sum(
      [&](std::uint64_t shard, const Vector& out) {
        Kokkos::deep_copy(kernels::Device(), out, 0.0);
        work(shard, out);
      },
      session_.wishes());
  wishes_ = sum.wishes();
  balance_.take(sum.seconds());
  session_.judge(pieces_->reading());
  return sums;
}

template <class Add>
std::span<const double> Objective::total(Sum& sum, const Add& add) {
  return sum_shards(sum, [&](std::uint64_t shard, const Vector& out) {
    pieces_->each(shard, [&](const Batch& rows, std::uint64_t before) {
      add(rows, part_of_rows(curvature_, before, rows.rows()), out);
    });
  });
}

Evaluation evaluation_of(const Criterion& criterion, const Network& network,
                         const std::vector<double>& parameters, std::span<const double> losses) {
  Evaluation at;
  const std::size_t parts = network.loss_parts();
  at.loss.assign(losses.begin(), losses.begin() + static_cast<std::ptrdiff_t>(parts));
  at.right = losses[parts];
  at.value = criterion.weight * std::accumulate(at.loss.begin(), at.loss.end(), 0.0) +
             criterion.penalty_of(network, parameters);
  return at;
}

Evaluation Objective::evaluate(const std::vector<double>& parameters, bool curvature) {
  if (curvature || curvature_.extent(0) == 0) adapt_shares();  // else it is of the rows as they are shared
  if (curvature && curvature_.extent(0) == 0)
    for (Network::Matrix* of_rows : {&curvature_, &outputs_, &along_})
      *of_rows = kernels::make_matrix<kernels::Device>(pieces_->rows_here(), network_.outputs());
  const auto on_device = parameters_on_device(parameters);
  const std::size_t count = parameters.size();
  const auto sums = sum_shards(sum_, [&](std::uint64_t shard, const Vector& out) {
    pieces_->each(shard, [&](const Batch& rows, std::uint64_t before) {
      const auto own = [&](const Network::Matrix& all) {
        return curvature ? part_of_rows(all, before, rows.rows()) : Network::Matrix();
      };
      linear_ ? linear_->add_sums(on_device, rows, out, own(curvature_), own(outputs_))
              : network_.add_sums(on_device, rows, kernels::part_of<kernels::Device>(out, 0, count),
                                  kernels::part_of<kernels::Device>(out, count, out.extent(0) - count));
    });
  });
  Evaluation at = evaluation_of(criterion_, network_, parameters, sums.subspan(count));
  at.gradient.assign(sums.begin(), sums.begin() + static_cast<std::ptrdiff_t>(parameters.size()));
  for (double& value : at.gradient) value *= criterion_.weight;
  criterion_.add_penalty_gradient(network_, parameters, at.gradient);
  return at;
}

Evaluation Objective::without_gradient(const std::vector<double>& parameters) {
  const auto on_device = parameters_on_device(parameters);
  Sum sum(session_.comm(), plan_.shards, network_.losses_length());
  const auto losses = total(sum, [&](const Batch& rows, const Network::Matrix&, const Vector& out) {
    linear_ ? linear_->add_losses(on_device, rows, out) : network_.add_losses(on_device, rows, out);
  });
  return evaluation_of(criterion_, network_, parameters, losses);
}

void Objective::begin_line(const std::vector<double>& x, const std::vector<double>& direction) {
  line_start_ = x;
  line_direction_ = direction;
  const auto on_device = parameters_on_device(direction);
  const storage::IndexRange shards = own_shards();
  session_.comm().agree([&] {
    for (std::uint64_t shard = shards.begin; shard < shards.end; ++shard)
      pieces_->each(shard, [&](const Batch& rows, std::uint64_t before) {
        Kokkos::deep_copy(kernels::Device(), part_of_rows(along_, before, rows.rows()),
                          linear_->outputs_of(on_device, rows));
      });
  });
}

LinePoint Objective::on_line(const std::vector<double>& lengths) {
  std::vector<double> of_outputs(outputs());
  for (std::size_t j = 0; j < outputs(); ++j) of_outputs[j] = lengths[j % lengths.size()];
  const auto on_device = parameters_on_device(of_outputs);
  const std::size_t losses = network_.losses_length();
  Sum sum(session_.comm(), plan_.shards, losses + outputs());
  const auto sums = sum_shards(sum, [&](std::uint64_t shard, const Vector& out) {
    pieces_->each_target(shard, [&](const Batch& rows, std::uint64_t before) {
      const std::size_t count = std::max(rows.labels.extent(0), rows.numbers.extent(0));
      linear_->add_line(part_of_rows(outputs_, before, count), on_device, part_of_rows(along_, before, count),
                        rows, out);
    });
  });
  std::vector<double> x = line_start_;
  add_scaled(lengths, line_direction_, x);
  LinePoint at;
  at.values = values_of_blocks(evaluation_of(criterion_, network_, x, sums.first(losses)), x);
  std::vector<double> of_penalty(x.size(), 0.0);
  criterion_.add_penalty_gradient(network_, x, of_penalty);
  at.slopes = dot(of_penalty, line_direction_, blocks());
  for (std::size_t j = 0; j < outputs(); ++j) at.slopes[j % blocks()] += criterion_.weight * sums[losses + j];
  return at;
}

std::vector<double> Objective::product(const std::vector<double>& direction) {
  const auto on_device = parameters_on_device(direction);
  const auto sums =
      total(product_sum_, [&](const Batch& rows, const Network::Matrix& curvature, const Vector& out) {
        linear_->add_product(on_device, rows, curvature, out);
      });
  std::vector<double> out(sums.begin(), sums.end());
  for (double& value : out) value *= criterion_.weight;
  criterion_.add_penalty_gradient(network_, direction, out);  // it is linear in what it is given
  return out;
}

std::vector<double> Objective::hessians() {
  const std::size_t width = network_.features() + 1, block = width * width;
  Sum sum(session_.comm(), plan_.shards, block * blocks());
  const auto sums = total(sum, [&](const Batch& rows, const Network::Matrix& curvature, const Vector& out) {
    linear_->add_hessians(rows, curvature, out);
  });
  std::vector<double> out(sums.begin(), sums.end());
  for (double& value : out) value *= criterion_.weight;
  for (std::size_t j = 0; j < blocks(); ++j)
    for (std::size_t i = 0; i < width; ++i)
      if (i + 1 < width || criterion_.penalize_bias) out[j * block + i * width + i] += criterion_.penalty;
  return out;
}

std::vector<double> Objective::diagonal() {
  const auto sums =
      total(product_sum_, [&](const Batch& rows, const Network::Matrix& curvature, const Vector& out) {
        linear_->add_diagonal(rows, curvature, out);
      });
  std::vector<double> out(sums.begin(), sums.end());
  row_weights_.assign(out.end() - static_cast<std::ptrdiff_t>(outputs()), out.end());  // of the biases
  for (double& value : out) value *= criterion_.weight;
  criterion_.add_penalty_gradient(network_, std::vector<double>(out.size(), 1.0), out);
  return out;
}

std::vector<double> Objective::penalties() const {
  const std::size_t count = network_.parameter_count();
  std::vector<double> out(count, 0.0);
  criterion_.add_penalty_gradient(network_, std::vector<double>(count, 1.0), out);
  return out;
}

std::vector<std::vector<float>> Objective::sample(std::size_t count, const std::vector<double>& scale) {
  RowSample sample{{}, row_weights_, {}, std::vector<std::vector<float>>(outputs())};
  for (double& step : sample.step) step /= static_cast<double>(count);
  for (std::size_t j = 0; j < outputs(); ++j) {
    std::vector<double> own;
    for (std::size_t i = j; i < scale.size(); i += outputs())
      own.push_back(scale[i] * std::sqrt(criterion_.weight));
    sample.scale.push_back(kernels::make_vector<kernels::Device>(own.size()));
    Kokkos::deep_copy(sample.scale.back(), kernels::host_vector(own.data(), own.size()));
  }
  const storage::IndexRange shards = own_shards();
  session_.comm().agree([&] {
    for (std::uint64_t shard = shards.begin; shard < shards.end; ++shard) {
      sample.passed = sample.step;  // each shard by itself: the same rows on any number of ranks
      for (double& passed : sample.passed) passed /= 2;
      pieces_->each(shard, [&](const Batch& rows, std::uint64_t before) {
        linear_->sample(rows, kernels::rows_of<kernels::Device>(curvature_, before, rows.rows()), sample);
      });
    }
  });
  return std::move(sample.rows);
}

std::vector<double> Objective::values_of_blocks(const Evaluation& at,
                                                const std::vector<double>& parameters) const {
  if (blocks() == 1) return {at.value};
  std::vector<double> values;
  for (std::size_t j = 0; j < blocks(); ++j)
    values.push_back(criterion_.weight * at.loss[j] + criterion_.penalty_of_output(network_, parameters, j));
  return values;
}

}  // namespace kernmill::tasks
