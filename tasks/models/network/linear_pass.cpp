#include "kernmill/tasks/models/network/linear_pass.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "kernmill/kernels/curvature.hpp"
#include "kernmill/kernels/gram.hpp"
#include "kernmill/kernels/loss.hpp"
#include "kernmill/kernels/reduce.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;
using kernels::Transpose;

std::size_t rows_in_cache(std::size_t inputs, std::size_t outputs) {
  constexpr std::size_t numbers = std::size_t{1} << 16U, products = std::size_t{1} << 19U, fewest = 16;
  const std::size_t most = std::min(numbers / inputs, products / (inputs * outputs));
  return std::clamp(std::bit_floor(std::max<std::size_t>(most, 1)), fewest, Network::chunk_rows);
}

}  // namespace

LinearPass::LinearPass(const NetworkShape& shape)
    : inputs_(shape.widths.front()),
      outputs_(shape.widths.back()),
      parts_(parts_of(shape.loss, outputs_)),
      rows_together_(rows_in_cache(inputs_, outputs_)),
      loss_(shape.loss),
      z_(kernels::make_matrix<Device>(rows_together_, outputs_)),
      terms_(kernels::make_matrix<Device>(rows_together_, parts_ + 1)),
      bias_sums_(kernels::make_vector<Device>(outputs_)),
      term_sums_(kernels::make_vector<Device>(parts_ + 1)) {}

void LinearPass::weigh_classes(const std::vector<double>& weights) {
  class_weights_ = kernels::make_vector<Device>(weights.size());
  Kokkos::deep_copy(class_weights_, kernels::host_vector(weights.data(), weights.size()));
}

LinearPass::Matrix LinearPass::outputs_of(const Vector& parameters, const Batch& rows) {
  const Device space;
  Matrix z = kernels::rows_of<Device>(z_, 0, rows.rows());
  const Matrix weights = kernels::matrix_of<Device>(parameters, 0, inputs_, outputs_);
  if (rows.is_sparse()) {
    kernels::multiply<Device>(space, rows.sparse, weights, z);
  } else {
    kernels::gemm<Device>(space, Transpose::no, Transpose::no, 1.0, rows.features, weights, 0.0, z);
  }
  kernels::add_bias_and_activate<Device>(space, kernels::Activation::identity,
                                         kernels::part_of<Device>(parameters, inputs_ * outputs_, outputs_),
                                         z);
  return z;
}

/// `squared`: of the squares of the features.
void LinearPass::add_transposed(const Batch& rows, const Matrix& delta, const Vector& out, bool squared) {
  const Device space;
  const Matrix weights = kernels::matrix_of<Device>(out, 0, inputs_, outputs_);
  if (rows.is_sparse()) {
    kernels::add_transposed_product<Device>(space, rows.sparse, delta, weights, 0, squared);
  } else {
    Matrix features = rows.features;
    if (squared) {
      if (squares_.extent(0) == 0) squares_ = kernels::make_matrix<Device>(rows_together_, inputs_);
      features = kernels::rows_of<Device>(squares_, 0, rows.rows());
      kernels::square_entries<Device>(space, rows.features, features);
    }
    kernels::gemm<Device>(space, Transpose::yes, Transpose::no, 1.0, features, delta, 1.0, weights);
  }
  kernels::column_sums<Device>(space, delta, bias_sums_);
  kernels::add<Device>(space, bias_sums_, kernels::part_of<Device>(out, inputs_ * outputs_, outputs_));
}

void LinearPass::add_losses_of(const Batch& rows, const Matrix& z, const Matrix& terms, const Vector& out) {
  const Device space;
  if (class_weights_.extent(0) > 0)
    kernels::weigh_rows<Device>(space, class_weights_, rows.labels, z, terms, parts_);
  if (rows.weights.extent(0) > 0) kernels::weigh_rows<Device>(space, rows.weights, z, terms, parts_);
  kernels::column_sums<Device>(space, terms, term_sums_);
  kernels::add<Device>(space, term_sums_, out);
}

/// In place of each row of `u`: as often as the row counts.
void LinearPass::weigh(const Batch& rows, const Matrix& u) const {
  if (class_weights_.extent(0) > 0) kernels::scale_rows<Device>(Device(), class_weights_, rows.labels, u);
  if (rows.weights.extent(0) > 0) kernels::scale_rows<Device>(Device(), rows.weights, u);
}

void LinearPass::add_sums(const Vector& parameters, const Batch& rows, const Vector& out,
                          const Matrix& curvature, const Matrix& outputs) {
  const std::size_t gradient = inputs_ * outputs_ + outputs_;
  const Matrix z = outputs_of(parameters, rows);
  if (outputs.extent(0) > 0) Kokkos::deep_copy(Device(), outputs, z);
  const Matrix terms = kernels::rows_of<Device>(terms_, 0, rows.rows());
  const Targets<double> targets{rows.labels, rows.numbers};
  apply_loss<double>(loss_, targets, z, terms, curvature);
  add_losses_of(rows, z, terms, kernels::part_of<Device>(out, gradient, parts_ + 1));
  add_transposed(rows, z, out);
}

void LinearPass::add_losses(const Vector& parameters, const Batch& rows, const Vector& out) {
  const Matrix z = outputs_of(parameters, rows);
  const Matrix terms = kernels::rows_of<Device>(terms_, 0, rows.rows());
  apply_loss<double>(loss_, {rows.labels, rows.numbers}, z, terms);
  add_losses_of(rows, z, terms, out);
}

void LinearPass::add_line(const Matrix& outputs, const Vector& lengths, const Matrix& along,
                          const Batch& rows, const Vector& out) {
  const Device space;
  const Matrix z = kernels::rows_of<Device>(z_, 0, outputs.extent(0));
  const Matrix terms = kernels::rows_of<Device>(terms_, 0, outputs.extent(0));
  kernels::step_along<Device>(space, outputs, lengths, along, z);
  apply_loss<double>(loss_, {rows.labels, rows.numbers}, z, terms);
  add_losses_of(rows, z, terms, kernels::part_of<Device>(out, 0, parts_ + 1));
  kernels::multiply_entries<Device>(space, along, z);
  kernels::column_sums<Device>(space, z, bias_sums_);
  kernels::add<Device>(space, bias_sums_, kernels::part_of<Device>(out, parts_ + 1, outputs_));
}

void LinearPass::add_product(const Vector& direction, const Batch& rows, const Matrix& curvature,
                             const Vector& out) {
  const Matrix u = outputs_of(direction, rows);
  multiply_by_curvature(loss_, curvature, u);
  weigh(rows, u);
  add_transposed(rows, u, out);
}

/// Dense, whatever the rows are.
LinearPass::Matrix LinearPass::with_one(const Batch& rows) {
  const Device space;
  const std::size_t width = inputs_ + 1;
  if (with_one_.extent(0) == 0) with_one_ = kernels::make_matrix<Device>(rows_together_, width);
  Matrix all = kernels::rows_of<Device>(with_one_, 0, rows.rows());
  const Vector nothing("nothing", width);
  if (rows.is_sparse()) {
    kernels::put_centred<Device>(space, rows.sparse, inputs_, nothing, all);
  } else {
    kernels::put_centred<Device>(space, rows.features, nothing, 0, all);
  }
  kernels::put_ones<Device>(space, inputs_, all);
  return all;
}

void LinearPass::add_hessians(const Batch& rows, const Matrix& curvature, const Vector& out) {
  const Device space;
  const std::size_t width = inputs_ + 1;
  if (weighed_.extent(0) == 0) weighed_ = kernels::make_matrix<Device>(rows_together_, width);
  const Matrix all = with_one(rows), weighed = kernels::rows_of<Device>(weighed_, 0, rows.rows());
  Matrix u = curvature;
  if (are_weighted(rows)) {
    u = kernels::rows_of<Device>(z_, 0, rows.rows());
    Kokkos::deep_copy(space, u, curvature);
    weigh(rows, u);
  }
  for (std::size_t j = 0; j < outputs_; ++j) {
    kernels::put_weighed<Device>(space, u, j, all, weighed);
    kernels::gemm<Device>(space, Transpose::yes, Transpose::no, 1.0, all, weighed, 1.0,
                          kernels::matrix_of<Device>(out, j * width * width, width, width));
  }
}

/// By one output each.
LinearPass::Matrix LinearPass::second_derivatives(const Batch& rows, const Matrix& curvature) {
  Matrix u = kernels::rows_of<Device>(z_, 0, rows.rows());
  set_diagonal(loss_, curvature, u);
  weigh(rows, u);
  return u;
}

void LinearPass::add_diagonal(const Batch& rows, const Matrix& curvature, const Vector& out) {
  add_transposed(rows, second_derivatives(rows, curvature), out, true);
}

void LinearPass::sample(const Batch& rows, const Matrix& curvature, RowSample& sample) {
  const Matrix all = with_one(rows);
  const auto weights =
      Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), second_derivatives(rows, curvature));
  std::vector<std::uint32_t> places;
  std::vector<double> factors;
  for (std::size_t j = 0; j < outputs_; ++j) {
    places.clear();
    factors.clear();
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      const double weight = weights(i, j), step = sample.step[j], before = sample.passed[j];
      if (!(weight > 0)) continue;
      sample.passed[j] += weight;
      if (!(std::floor(sample.passed[j] / step) > std::floor(before / step))) continue;
      places.push_back(static_cast<std::uint32_t>(i));
      factors.push_back(std::sqrt(std::max(weight, step)));
    }
    const auto picked = kernels::make_matrix<Device, float>(places.size(), inputs_ + 1);
    kernels::put_picked<Device>(Device(), all, kernels::on_space<Device>(places.data(), places.size()),
                                kernels::on_space<Device>(factors.data(), factors.size()), sample.scale[j],
                                picked);
    const auto on_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), picked);
    sample.rows[j].insert(sample.rows[j].end(), on_host.data(), on_host.data() + on_host.size());
  }
}

}  // namespace kernmill::tasks
