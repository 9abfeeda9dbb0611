#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "kernmill/tasks/learn/rows/batch.hpp"
#include "kernmill/tasks/learn/rows/leaf_sum.hpp"
#include "kernmill/tasks/learn/rows/row_order.hpp"
#include "kernmill/tasks/models/kmeans/method.hpp"
#include "kernmill/tasks/models/kmeans/nearest_rows.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Host;

/// Into how many pieces a batch is cut, whatever the number of ranks.
constexpr std::uint64_t batch_pieces = 16;

/// Adds up the rows of a batch by their nearest center: k x features sums of the way there, and k counts, of
/// each row by its weight.
class BatchSums {
 public:
  BatchSums(const Communicator& comm, const Rows& rows, std::size_t k)
      : rows_(&rows), k_(k), sum_(comm, batch_pieces, k * (rows.features() + 1)) {}

  std::span<const double> operator()(std::span<const double> centers, const std::vector<std::uint64_t>& batch,
                                     unsigned wishes) {
    NearestRows nearest(centers, rows_->features());
    return sum_(
        [&](std::uint64_t piece, const kernels::Vector<Host>& out) {
          Kokkos::deep_copy(out, 0.0);
          const auto share =
              storage::even_share(batch.size(), static_cast<int>(piece), static_cast<int>(batch_pieces));
          add_piece(nearest, centers, std::span(batch).subspan(share.begin, share.count()), out);
        },
        wishes);
  }
  [[nodiscard]] unsigned wishes() const { return sum_.wishes(); }

 private:
  void add_piece(NearestRows& nearest, std::span<const double> centers, std::span<const std::uint64_t> rows,
                 const kernels::Vector<Host>& out) {
    const std::size_t features = rows_->features();
    values_.resize(rows.size() * features);
    target_.resize(rows_->is_weighted() ? rows.size() * rows_->target_width() : 0);
    rows_->read(rows, values_, target_);
    nearest.find(features_on_device(values_, features));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto c = static_cast<std::size_t>(nearest.labels()[i]);
      const double weight = rows_->is_weighted() ? target_[(i + 1) * rows_->target_width() - 1] : 1.0;
      for (std::size_t j = 0; j < features; ++j)
        out(c * features + j) += weight * (values_[i * features + j] - centers[c * features + j]);
      out(k_ * features + c) += weight;
    }
  }

  const Rows* rows_;
  std::size_t k_;
  LeafSum<Host> sum_;
  std::vector<double> values_, target_;
};

}  // namespace

void iterate_mini_batches(const KMeansSettings& settings, const Rows& rows, Session& session,
                          KMeansProgress& progress) {
  const std::uint64_t size = std::min(*settings.batch_size, rows.count());
  const std::uint64_t batches = (rows.count() + size - 1) / size, steps = settings.epochs * batches;
  const std::size_t features = rows.features();
  const Shuffle shuffle = shuffle_of("auto", rows.count(), rows.row_bytes());
  BatchSums sums_of(session.comm(), rows, settings.k);
  KMeansRun& run = progress.run;
  progress.counts.resize(settings.k, 0.0);
  while (run.iterations < steps) {
    const std::uint64_t epoch = run.iterations / batches, begin = run.iterations % batches * size;
    const RowOrder order(rows.count(), shuffle, settings.seed + progress.restart, epoch);
    std::vector<std::uint64_t> batch;
    for (std::uint64_t at = begin; at < std::min(begin + size, rows.count()); ++at)
      batch.push_back(order(at));
    const auto sums = sums_of(run.centers, batch, session.wishes());
    for (std::size_t c = 0; c < settings.k; ++c) {
      progress.counts[c] += sums[settings.k * features + c];
      if (progress.counts[c] == 0) continue;
      for (std::size_t j = 0; j < features; ++j)
        run.centers[c * features + j] += sums[c * features + j] / progress.counts[c];
    }
    session.check_finite(run.centers.front(), ++run.iterations, "step");
    const bool last = run.iterations == steps;
    session.progress(last, [&] {
      return fmt::format("restart {}/{} step {}/{}", progress.restart + 1, settings.restarts, run.iterations,
                         steps);
    });
    if (!last) save_between_steps(session, sums_of.wishes(), progress);
  }
}

}  // namespace kernmill::tasks
