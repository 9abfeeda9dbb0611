#include "kernmill/tasks/learn/train/cholesky.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

// Eigen and not LAPACK (support/lapack.hpp), whose eigenvectors one rank finds for all: here every rank
// solves for itself, and Eigen's bits are those of our own compiler, not of the kernels that a BLAS picks by
// processor.
#define EIGEN_NO_CUDA  // nothing of it runs on a GPU, for which nvcc would compile it, too
#include <Eigen/Cholesky>

namespace kernmill::tasks {
namespace {

using Dense = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Column = Eigen::VectorXd;

constexpr double dependent = 1e-11;

Eigen::Map<const Dense> map(const std::vector<double>& values, std::size_t size) {
  const auto n = static_cast<Eigen::Index>(size);
  return {values.data(), n, n};
}

SymmetricMatrix scaled_by(const SymmetricMatrix& a, const std::vector<double>& scale) {
  SymmetricMatrix out = a;
  for (std::size_t i = 0; i < a.size; ++i)
    for (std::size_t j = 0; j < a.size; ++j) out.at(i, j) *= scale[i] * scale[j];
  return out;
}

}  // namespace

Cholesky::Cholesky(const SymmetricMatrix& a, std::span<const double> nothing)
    : size_(a.size), scale_(a.size, 0.0) {
  for (std::size_t i = 0; i < size_; ++i)
    if (a.at(i, i) > nothing[i]) scale_[i] = 1 / std::sqrt(a.at(i, i));
  const SymmetricMatrix scaled = scaled_by(a, scale_);
  const Eigen::LLT<Dense> whole(map(scaled.values, size_));
  const Dense lower = whole.matrixL();
  if (whole.info() != Eigen::Success || !(lower.diagonal().minCoeff() > std::sqrt(dependent))) {
    factorize_in_order(scaled);
    return;
  }
  picked_.resize(size_);
  std::iota(picked_.begin(), picked_.end(), std::size_t{0});
  factor_.assign(lower.data(), lower.data() + lower.size());
}

// As R's lm does: a variable that those before it explain is left out, and told.
void Cholesky::factorize_in_order(const SymmetricMatrix& scaled) {
  std::vector<std::vector<double>> rows;
  for (std::size_t j = 0; j < size_; ++j) {
    std::vector<double> row;
    double left = scaled.at(j, j);
    for (std::size_t k = 0; k < rows.size(); ++k) {
      const double sum = std::inner_product(row.begin(), row.end(), rows[k].begin(), 0.0);
      row.push_back((scaled.at(j, picked_[k]) - sum) / rows[k].back());
      left -= row.back() * row.back();
    }
    if (scale_[j] > 0 && left > dependent) {
      row.push_back(std::sqrt(left));
      rows.push_back(std::move(row));
      picked_.push_back(j);
      continue;
    }
    Dependence found{j, {}};
    for (std::size_t k = row.size(); scale_[j] > 0 && k-- > 0;) {  // back through the transposed factor
      row[k] /= rows[k].back();
      for (std::size_t i = 0; i < k; ++i) row[i] -= rows[k][i] * row[k];
      found.others.emplace_back(picked_[k], row[k] * scale_[picked_[k]] / scale_[j]);
    }
    dependences_.push_back(std::move(found));
  }
  factor_.assign(rows.size() * rows.size(), 0.0);
  for (std::size_t k = 0; k < rows.size(); ++k)
    std::copy(rows[k].begin(), rows[k].end(), factor_.begin() + static_cast<std::ptrdiff_t>(k * rows.size()));
}

std::vector<double> Cholesky::solve(std::span<const double> b) const {
  std::vector<double> x(size_, 0.0);
  Column picked(static_cast<Eigen::Index>(picked_.size()));
  for (std::size_t k = 0; k < picked_.size(); ++k)
    picked[static_cast<Eigen::Index>(k)] = scale_[picked_[k]] * b[picked_[k]];
  const auto lower = map(factor_, picked_.size()).triangularView<Eigen::Lower>();
  lower.solveInPlace(picked);
  lower.transpose().solveInPlace(picked);
  for (std::size_t k = 0; k < picked_.size(); ++k)
    x[picked_[k]] = scale_[picked_[k]] * picked[static_cast<Eigen::Index>(k)];
  if (dependences_.empty()) return x;
  // Less its part in the null space, whose vectors are e_j - combination of j.
  const auto count = static_cast<Eigen::Index>(dependences_.size());
  Dense null = Dense::Zero(static_cast<Eigen::Index>(size_), count);
  for (Eigen::Index c = 0; c < count; ++c) {
    const Dependence& of = dependences_[static_cast<std::size_t>(c)];
    null(static_cast<Eigen::Index>(of.variable), c) = 1;
    for (const auto& [other, factor] : of.others) null(static_cast<Eigen::Index>(other), c) = -factor;
  }
  Eigen::Map<Column> all(x.data(), static_cast<Eigen::Index>(size_));
  const Dense square = null.transpose() * null;
  const Column part = square.llt().solve(null.transpose() * all);
  all -= null * part;
  return x;
}

void solve_positive(const SymmetricMatrix& a, std::vector<double>& b) {
  constexpr double least = 1e-300, most_shift = 1e-3;
  std::vector<double> scale;
  for (std::size_t i = 0; i < a.size; ++i) scale.push_back(1 / std::sqrt(std::max(a.at(i, i), least)));
  SymmetricMatrix scaled = scaled_by(a, scale);
  Eigen::LLT<Dense> factor(map(scaled.values, a.size));
  for (double shift = 1e-14; factor.info() != Eigen::Success && shift < most_shift; shift *= 10) {
    for (std::size_t i = 0; i < a.size; ++i) scaled.at(i, i) = 1 + shift;
    factor.compute(map(scaled.values, a.size));
  }
  Eigen::Map<Column> x(b.data(), static_cast<Eigen::Index>(b.size()));
  const Eigen::Map<const Column> scales(scale.data(), x.size());
  x = scales.cwiseProduct(factor.solve(scales.cwiseProduct(x)));
}

}  // namespace kernmill::tasks
