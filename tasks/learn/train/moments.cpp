#include "kernmill/tasks/learn/train/moments.hpp"

#include "kernmill/kernels/curvature.hpp"
#include "kernmill/kernels/gram.hpp"
#include "kernmill/kernels/reduce.hpp"
#include "kernmill/tasks/learn/rows/leaf_sum.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;
using Vector = kernels::Vector<Device>;
using Matrix = kernels::Matrix<Device>;

constexpr std::size_t rows_together = 1024;  // BLAS is at its best, and a copy of them small

/// Features and targets of a piece side by side, less a centre.
class SideBySide {
 public:
  SideBySide(std::size_t features, std::size_t targets)
      : features_(features), all_(kernels::make_matrix<Device>(rows_together, features + targets)) {}
  Matrix operator()(const Batch& rows, const Vector& centre) const {
    Matrix out = kernels::rows_of<Device>(all_, 0, rows.rows());
    if (rows.is_sparse()) {
      kernels::put_centred<Device>(Device(), rows.sparse, features_, centre, out);
    } else {
      kernels::put_centred<Device>(Device(), rows.features, centre, 0, out);
    }
    kernels::put_centred<Device>(Device(), rows.numbers, centre, features_, out);
    return out;
  }

 private:
  std::size_t features_;
  Matrix all_;
};

/// So that the product of a row with itself counts by its weight.
void scale_by_roots(const Vector& weights, const Matrix& values) {
  const Vector roots = kernels::make_vector<Device>(weights.extent(0));
  kernels::put_roots<Device>(Device(), weights, roots);
  kernels::scale_rows<Device>(Device(), roots, values);
}

}  // namespace

Moments moments_of(Session& session, const Rows& rows, const RowPlan& plan) {
  Moments moments{plan.weight, rows.features(), rows.targets(), {}, {}};
  const std::size_t width = moments.width();
  LeafSum<Device> sum(session.comm(), plan.shards, width);
  RowPieces pieces(rows, Loss::squared_error, plan, sum.own(), rows_together);
  const SideBySide side_by_side(moments.features, moments.targets);
  const Vector centre = kernels::make_vector<Device>(width), of_piece = kernels::make_vector<Device>(width);
  Kokkos::deep_copy(centre, 0.0);
  const auto sums = sum([&](std::uint64_t shard, const Vector& out) {
    Kokkos::deep_copy(Device(), out, 0.0);
    pieces.each(shard, [&](const Batch& piece, std::uint64_t) {
      const Matrix values = side_by_side(piece, centre);
      if (piece.weights.extent(0) > 0) kernels::scale_rows<Device>(Device(), piece.weights, values);
      kernels::column_sums<Device>(Device(), values, of_piece);
      kernels::add<Device>(Device(), of_piece, out);
    });
  });
  for (const double value : sums) moments.mean.push_back(value / moments.rows);
  Kokkos::deep_copy(centre, kernels::host_vector(moments.mean.data(), width));
  sum.set_length(width * width);
  const auto products = sum([&](std::uint64_t shard, const Vector& out) {
    Kokkos::deep_copy(Device(), out, 0.0);
    const Matrix square = kernels::matrix_of<Device>(out, 0, width, width);
    pieces.each(shard, [&](const Batch& piece, std::uint64_t) {
      const Matrix values = side_by_side(piece, centre);
      if (piece.weights.extent(0) > 0) scale_by_roots(piece.weights, values);
      kernels::add_gram<Device>(Device(), values, square);
    });
  });
  moments.products.assign(products.begin(), products.end());
  for (std::size_t i = 0; i < width; ++i)
    for (std::size_t j = 0; j < i; ++j) moments.products[i * width + j] = moments.products[j * width + i];
  session.judge(pieces.reading());
  return moments;
}

}  // namespace kernmill::tasks
