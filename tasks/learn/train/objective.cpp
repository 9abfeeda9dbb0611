#include "kernmill/tasks/learn/train/objective.hpp"

#include <numeric>

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
  pieces_.emplace(data_, network_.shape().loss, plan_,
                  balance_.shares()[static_cast<std::size_t>(session_.comm().rank())],
                  linear_ ? linear_->rows_together() : Network::chunk_rows);
}

void Objective::adapt_shares() {
  if (!balance_.adapt()) return;
  session_.tell_shares(balance_.shares());
  session_.comm().agree([&] { read_pieces(); });
  if (curvature_.extent(0) > 0) curvature_ = Network::Matrix();
}

template <class Add>
std::span<const double> Objective::total(Sum& sum, const Add& add) {
  const auto shard = [&](std::uint64_t leaf, const Vector& out) {
    Kokkos::deep_copy(kernels::Device(), out, 0.0);
    pieces_->each(leaf, [&](const Batch& rows, std::uint64_t before) {
      add(rows,
          curvature_.extent(0) == 0 ? curvature_
                                    : kernels::rows_of<kernels::Device>(curvature_, before, rows.rows()),
          out);
    });
  };
  sum.set_shares(balance_.shares());
  const auto sums = sum(shard, session_.wishes());
  wishes_ = sum.wishes();
  balance_.take(sum.seconds());
  session_.judge(pieces_->reading());
  return sums;
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
    curvature_ = kernels::make_matrix<kernels::Device>(pieces_->rows_here(), network_.outputs());
  const auto on_device = parameters_on_device(parameters);
  const std::size_t count = parameters.size();
  const auto sums = total(sum_, [&](const Batch& rows, const Network::Matrix& of_rows, const Vector& out) {
    linear_ ? linear_->add_sums(on_device, rows, out, curvature ? of_rows : Network::Matrix())
            : network_.add_sums(on_device, rows, kernels::part_of<kernels::Device>(out, 0, count),
                                kernels::part_of<kernels::Device>(out, count, out.extent(0) - count));
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
  for (double& value : out) value *= criterion_.weight;
  criterion_.add_penalty_gradient(network_, std::vector<double>(out.size(), 1.0), out);
  return out;
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
