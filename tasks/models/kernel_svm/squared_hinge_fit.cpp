#include <algorithm>

#include "kernmill/tasks/models/kernel_svm/squared_hinge.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;
using kernels::Host;
using kernels::Transpose;

constexpr std::uint64_t rows_mapped_at_a_time = 512;

/// In place; onto the device and back where that is apart.
template <class Work>
void on_host(const kernels::Matrix<Device>& matrix, const Work& work) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), matrix);
  work(host.data());
  Kokkos::deep_copy(matrix, host);
}

}  // namespace

SquaredHinge::SquaredHinge(Session& session, const Rows& rows, FourierMap& map, const Values& weights,
                           std::uint64_t memory)
    : session_(session),
      map_(map),
      rows_(rows.count()),
      classes_(weights.size()),
      chunks_(rows_, storage::even_share(shard_count, session.comm().rank(), session.comm().size()),
              rows_mapped_at_a_time) {
  session.comm().agree([&] {
    for (const storage::IndexRange& range : chunks_.all()) {
      first_row_.push_back(labels_.size());
      std::vector<double> target(range.count() * rows.target_width());
      rows.read(range, std::span<double>(), target);
      for (std::size_t at = 0; at < target.size(); at += rows.target_width()) {
        labels_.push_back(static_cast<std::size_t>(target[at]));
        weights_.push_back(weights[labels_.back()] * (rows.is_weighted() ? target[at + 1] : 1.0));
      }
    }
    source_ = open_chunk_source(rows, Loss::squared_hinge, chunks_.all(), memory);
  });
  first_row_.push_back(labels_.size());
  outputs_.resize(labels_.size() * classes_);
  slopes_.resize(labels_.size() * classes_);
}

/// Each row's products with `point`; `rowwise(row, products, extra)` makes of a row's the factors of its
/// features in the gradient, and adds to `extra`. Returns the sums: of the gradient, if it is wanted, then of
/// the extra values.
template <class Rowwise>
SquaredHinge::Values SquaredHinge::add_up(const Values& point, std::size_t extra, bool with_gradient,
                                          const Rowwise& rowwise) {
  const std::size_t features = map_.outputs(), gradient = with_gradient ? features * classes_ : 0;
  const Matrix at = Kokkos::create_mirror_view_and_copy(
      Device::memory_space(), kernels::Matrix<Host>(const_cast<double*>(point.data()), features, classes_));
  LeafSum<Device> sum(session_.comm(), shard_count, gradient + extra);
  const auto sums = sum(
      [&](std::uint64_t leaf, const kernels::Vector<Device>& out) {
        Kokkos::deep_copy(Device(), out, 0.0);
        Values extras(extra, 0.0);
        const storage::IndexRange chunks = chunks_.of(leaf);
        for (std::uint64_t i = chunks.begin; i < chunks.end; ++i) {
          const Matrix z = map_(source_->chunk(i));
          const Matrix products = kernels::make_matrix<Device>(z.extent(0), classes_);
          kernels::gemm<Device>(Device(), Transpose::no, Transpose::no, 1.0, z, at, 0.0, products);
          on_host(products, [&](double* values) {
            for (std::size_t row = first_row_[i]; row < first_row_[i + 1]; ++row)
              rowwise(row, values + (row - first_row_[i]) * classes_, extras.data());
          });
          if (with_gradient)
            kernels::gemm<Device>(Device(), Transpose::yes, Transpose::no, 1.0, z, products, 1.0,
                                  kernels::matrix_of<Device>(out, 0, features, classes_));
        }
        Kokkos::deep_copy(kernels::part_of<Device>(out, gradient, extra),
                          kernels::host_vector(extras.data(), extra));
      },
      session_.wishes());
  wishes_ |= sum.wishes();
  return {sums.begin(), sums.end()};
}

SquaredHinge::At SquaredHinge::move_to(const Values& point) {
  wishes_ = 0;
  Values sums = add_up(point, classes_ + 1, true, [&](std::size_t row, double* products, double* extra) {
    std::copy_n(products, classes_, outputs_.begin() + static_cast<std::ptrdiff_t>(row * classes_));
    const auto best = static_cast<std::size_t>(std::max_element(products, products + classes_) - products);
    if (best == labels_[row]) extra[classes_] += 1;
    const double weight = weights_[row];
    for (std::size_t k = 0; k < classes_; ++k) {
      const double missing = std::max(0.0, 1 - target(row, k) * products[k]);
      extra[k] += weight * missing * missing;
      products[k] = -2 * weight * target(row, k) * missing;
    }
  });
  At at;
  at.right = sums.back();
  const auto end = sums.end() - static_cast<std::ptrdiff_t>(classes_ + 1);
  at.losses.assign(end, sums.end() - 1);
  sums.erase(end, sums.end());
  at.gradient = std::move(sums);
  return at;
}

SquaredHinge::Values SquaredHinge::curve(const Values& direction) {
  return add_up(direction, 0, true, [&](std::size_t row, double* products, double*) {
    for (std::size_t k = 0; k < classes_; ++k)
      products[k] *= target(row, k) * outputs_[row * classes_ + k] < 1 ? 2 * weights_[row] : 0;
  });
}

void SquaredHinge::look_along(const Values& direction) {
  add_up(direction, 1, false, [&](std::size_t row, double* products, double*) {
    std::copy_n(products, classes_, slopes_.begin() + static_cast<std::ptrdiff_t>(row * classes_));
  });
}

SquaredHinge::Values SquaredHinge::losses_at(const Values& steps) {
  LeafSum<Host> sum(session_.comm(), shard_count, classes_);
  const auto sums = sum([&](std::uint64_t leaf, const kernels::Vector<Host>& out) {
    Kokkos::deep_copy(out, 0.0);
    const std::size_t begin = first_row_[chunks_.of(leaf).begin], end = first_row_[chunks_.of(leaf).end];
    for (std::size_t row = begin; row < end; ++row) {
      for (std::size_t k = 0; k < classes_; ++k) {
        const std::size_t at = row * classes_ + k;
        const double missing = std::max(0.0, 1 - target(row, k) * (outputs_[at] + steps[k] * slopes_[at]));
        out(k) += weights_[row] * missing * missing;
      }
    }
  });
  return {sums.begin(), sums.end()};
}

}  // namespace kernmill::tasks
