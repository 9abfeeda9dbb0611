#include "kernmill/tasks/learn/train/fit.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "kernmill/kernels/gemm.hpp"
#include "kernmill/kernels/gram.hpp"
#include "kernmill/kernels/random.hpp"
#include "kernmill/kernels/shift.hpp"
#include "kernmill/tasks/comm/stop.hpp"
#include "kernmill/tasks/learn/rows/leaf_sum.hpp"
#include "kernmill/tasks/learn/rows/memory.hpp"
#include "kernmill/tasks/learn/rows/shard_rows.hpp"
#include "kernmill/tasks/learn/train/without_target.hpp"
#include "kernmill/tasks/models/pca/model.hpp"
#include "kernmill/tasks/models/pca/settings.hpp"
#include "kernmill/tasks/models/tensors.hpp"
#include "kernmill/tasks/support/lapack.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;
using kernels::Transpose;
using Matrix = kernels::Matrix<Device>;
using Values = std::vector<double>;

/// Variances (of sums of squares) along orthonormal directions, the largest first, one direction a row.
using Components = Eigenpairs;

/// Sums over the rows less their mean: the same bits on any number of ranks.
class Scatter {
 public:
  Scatter(const Communicator& comm, ShardRows& rows, const Values& mean)
      : comm_(&comm), rows_(&rows), mean_(kernels::make_vector<Device>(mean.size())) {
    Kokkos::deep_copy(mean_, kernels::host_vector(mean.data(), mean.size()));
  }

  /// X'X, features x features: its upper triangle.
  [[nodiscard]] Values whole() const {
    const std::size_t d = rows_->features();
    return sum(d * d, [&](const Matrix& x, const kernels::Vector<Device>& out) {
      kernels::add_gram<Device>(Device(), x, kernels::matrix_of<Device>(out, 0, d, d));
    });
  }
  /// X'X q, of a q of features x columns.
  [[nodiscard]] Values times(const Values& q) const {
    const std::size_t d = rows_->features(), columns = q.size() / d;
    const Matrix directions = kernels::make_matrix<Device>(d, columns);
    Kokkos::deep_copy(directions, kernels::ConstMatrix<kernels::Host>(q.data(), d, columns));
    return sum(q.size(), [&](const Matrix& x, const kernels::Vector<Device>& out) {
      const Matrix along = kernels::make_matrix<Device>(x.extent(0), columns);
      kernels::gemm<Device>(Device(), Transpose::no, Transpose::no, 1.0, x, directions, 0.0, along);
      kernels::gemm<Device>(Device(), Transpose::yes, Transpose::no, 1.0, x, along, 1.0,
                            kernels::matrix_of<Device>(out, 0, d, columns));
    });
  }

 private:
  template <class Add>
  [[nodiscard]] Values sum(std::size_t length, const Add& add) const {
    if (agree_to_stop(*comm_)) throw Stopped{};
    LeafSum<Device> fold(*comm_, shard_count, length);
    const auto sums = fold([&](std::uint64_t shard, const kernels::Vector<Device>& out) {
      Kokkos::deep_copy(out, 0.0);
      for (const auto& chunk : rows_->chunks_of(shard)) {
        const Matrix centered = kernels::make_matrix<Device>(chunk.rows.count(), rows_->features());
        kernels::less_shift<Device>(Device(), rows_->features_of(chunk), mean_, centered);
        add(centered, out);
      }
    });
    return {sums.begin(), sums.end()};
  }

  const Communicator* comm_;
  ShardRows* rows_;
  kernels::Vector<Device> mean_;
};

/// On one rank, for the same bits on all of them. `size`: that of the result.
template <class Work>
Values on_root(const Communicator& comm, std::size_t size, const Work& work) {
  Values values(size);
  comm.agree([&] {
    if (comm.is_root()) values = work();
  });
  comm.bcast(std::span<double>(values));
  return values;
}

Components decompose(const Communicator& comm, const Values& matrix, std::size_t n) {
  const Values all = on_root(comm, n + n * n, [&] {
    Eigenpairs pairs = symmetric_eigenpairs(matrix, n);
    pairs.values.insert(pairs.values.end(), pairs.vectors.begin(), pairs.vectors.end());
    return pairs.values;
  });
  const auto vectors = all.begin() + static_cast<std::ptrdiff_t>(n);
  return {{all.begin(), vectors}, {vectors, all.end()}};
}

/// a' b, of a: rows x m and b: rows x n.
Values transposed_product(const Values& a, const Values& b, std::size_t rows, std::size_t m, std::size_t n) {
  Values c(m * n, 0.0);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t i = 0; i < m; ++i)
      for (std::size_t j = 0; j < n; ++j) c[i * n + j] += a[r * m + i] * b[r * n + j];
  return c;
}

/// Standard normal numbers, keyed by their place (Box and Muller 1958).
Values normal_numbers(std::size_t count, std::uint64_t seed) {
  Values numbers(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double radius = std::sqrt(-2 * std::log1p(-kernels::uniform(seed, 0, i)));
    numbers[i] = radius * std::cos(2 * std::numbers::pi * kernels::uniform(seed, 1, i));
  }
  return numbers;
}

/// Halko, Martinsson and Tropp (Finding structure with randomness, 2011), algorithm 4.4: a random subspace
/// that power iterations turn towards the directions of large variance. It is kept in the space of the
/// features, so that a pass is one sum over the rows, and what is orthonormalised is small.
Components randomized(const PcaSettings& settings, const Communicator& comm, const Scatter& scatter,
                      std::size_t features, std::size_t columns) {
  Values q = normal_numbers(features * columns, settings.seed);
  const auto orthonormalize = [&](const Values& matrix) {
    return on_root(comm, matrix.size(), [&] { return orthonormal_columns(matrix, features, columns); });
  };
  q = orthonormalize(q);
  for (std::uint64_t pass = 0; pass <= settings.power_iterations; ++pass)
    q = orthonormalize(scatter.times(q));
  const Values image = scatter.times(q);
  Values small = transposed_product(q, image, features, columns, columns);
  for (std::size_t i = 0; i < columns; ++i)
    for (std::size_t j = 0; j < i; ++j)
      small[i * columns + j] = small[j * columns + i] = (small[i * columns + j] + small[j * columns + i]) / 2;
  Components found = decompose(comm, small, columns);
  Values directions(columns * features, 0.0);
  for (std::size_t c = 0; c < columns; ++c)
    for (std::size_t f = 0; f < features; ++f)
      for (std::size_t i = 0; i < columns; ++i)
        directions[c * features + f] += found.vectors[c * columns + i] * q[f * columns + i];
  found.vectors = std::move(directions);
  return found;
}

/// The entry of each direction that is largest, the first of equal ones, is positive.
void fix_signs(Values& vectors, std::size_t features) {
  for (auto row = vectors.begin(); row != vectors.end(); row += static_cast<std::ptrdiff_t>(features)) {
    const auto end = row + static_cast<std::ptrdiff_t>(features);
    const auto largest =
        std::max_element(row, end, [](double a, double b) { return std::abs(a) < std::abs(b); });
    if (*largest < 0) std::transform(row, end, row, [](double value) { return -value; });
  }
}

/// The first that explain so much, as scikit-learn counts them: more than the share.
std::size_t count_for_share(const Values& squares, double all, double share) {
  double sum = 0;
  for (std::size_t i = 0; i < squares.size(); ++i) {
    sum += squares[i];
    if (sum / all > share) return i + 1;
  }
  return squares.size();
}

std::size_t wanted_components(const PcaSettings& settings, const FitData& data) {
  const std::uint64_t most = std::min(data.rows.count(), data.rows.features());
  if (settings.components < 1) return most;
  if (settings.components > static_cast<double>(most))
    throw TaskError(fmt::format("{} rows of {} features have no {} components", data.rows.count(),
                                data.rows.features(), settings.components),
                    {}, fmt::format("write `components: {}`, or less", most));
  return static_cast<std::size_t>(settings.components);
}

void require_possible(const PcaSettings& settings, const FitData& data) {
  constexpr std::uint64_t most = 32'768;  // 8 GiB, and LAPACK wants as much beside them
  if (!settings.randomized && data.rows.features() > most)
    throw TaskError(fmt::format("the covariance of {} features takes too much memory", data.rows.features()),
                    {}, "write `method: randomized`, and how many `components`");
  if (data.start != nullptr)
    throw TaskError("a pca has no 'start_from': it does not go step by step", {}, "leave 'start_from' out");
  if (data.rows.count() < 2)
    throw TaskError("one row has no variance", {}, "look at the split of the preprocess stage");
}

/// Those that are wanted, of `rows` whose spread is known.
Components find_components(const PcaSettings& settings, const Communicator& comm, ShardRows& rows,
                           const Spread& spread, std::size_t wanted) {
  const std::size_t d = rows.features();
  const Scatter scatter(comm, rows, spread.mean);
  Components found =
      settings.randomized
          ? randomized(settings, comm, scatter, d, std::min<std::size_t>(d, wanted + settings.oversampling))
          : decompose(comm, scatter.whole(), d);
  for (double& square : found.values) square = std::fmax(square, 0.0);  // what rounding takes below
  if (settings.components < 1)
    wanted = std::min(wanted, count_for_share(found.values, spread.squares, settings.components));
  found.values.resize(wanted);
  found.vectors.resize(wanted * d);
  fix_signs(found.vectors, d);
  return found;
}

}  // namespace

Fit fit_pca(const Json& config, const FitData& data, Session& session) {
  const PcaSettings settings = read_pca_settings(config);
  require_possible(settings, data);
  const Communicator& comm = session.comm();
  const std::size_t wanted = wanted_components(settings, data);
  ShardRows rows(comm, data.rows, memory_for_rows(comm));
  const Spread spread = spread_of(comm, rows);
  if (!(spread.squares > 0) || !std::isfinite(spread.squares))
    throw TaskError("the features do not vary, or not in finite numbers", {},
                    "look at the data, and at the steps of the preprocess stage");
  const Components found = find_components(settings, comm, rows, spread, wanted);
  Values variances, shares;
  double explained = 0;
  for (const double square : found.values) {
    variances.push_back(square / static_cast<double>(rows.count() - 1));
    shares.push_back(square / spread.squares);
    explained += shares.back();
  }
  const std::size_t count = shares.size();
  if (comm.is_root()) fmt::print("{} components explain {:.4g} of the variance\n", count, explained);
  return {{"pca",
           config.dump(),
           without_target(data.rows.schema()),
           {vector_tensor("mean", spread.mean),
            {"components", {count, rows.features()}, found.vectors},
            vector_tensor("explained_variance", variances),
            vector_tensor("explained_variance_ratio", shares)}},
          {{"components", count},
           {"explained_variance", explained},
           {"explained_variance_ratio", shares},
           {"rows", rows.count()}}};
}

}  // namespace kernmill::tasks
