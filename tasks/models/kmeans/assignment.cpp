#include "kernmill/tasks/models/kmeans/assignment.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernmill/kernels/reduce.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;

double distance(const double* a, const double* b, std::size_t features) {
  double sum = 0;
  for (std::size_t j = 0; j < features; ++j) sum += (a[j] - b[j]) * (a[j] - b[j]);
  return std::sqrt(sum);
}

template <class Work>
void each_pair(std::size_t k, const Work& work) {
  for (std::size_t a = 0; a < k; ++a)
    for (std::size_t b = a + 1; b < k; ++b) work(a, b);
}

kernels::Vector<Device> to_device(const std::vector<double>& values) {
  auto out = kernels::make_vector<Device>(values.size());
  Kokkos::deep_copy(out, kernels::host_vector(values.data(), values.size()));
  return out;
}

/// By how much the squared distance of a row may be wrong that comes of its norm, the center's and their
/// product.
double error_of_square(double row, double center, std::size_t features) {
  const double far = row + center;
  return 4 * (static_cast<double>(features) + 8) * std::numeric_limits<double>::epsilon() * far * far;
}

}  // namespace

Assignment::Assignment(const Communicator& comm, ShardRows& rows, const Spread& spread, std::size_t k)
    : comm_(&comm),
      rows_(&rows),
      shift_(spread.mean),
      reach_(spread.furthest),
      k_(k),
      length_(k * (shift_.size() + 1) + 1),
      changed_("changed", k),
      scratch_(kernels::make_vector<Device>(length_ - 1)),
      sum_(comm, shard_count, length_) {
  parts_.reserve(rows.chunks().size());
  for (const auto& chunk : rows.chunks()) {
    const std::size_t count = chunk.rows.count();
    Part part{{kernels::Labels<Device>("labels", count), kernels::make_vector<Device>(count),
               kernels::make_vector<Device>(count)},
              {},
              {}};
    Kokkos::deep_copy(part.bounds.labels, -1);
    if (const auto weights = rows.weights_of(chunk); !weights.empty())
      part.weights = to_device({weights.begin(), weights.end()});
    if (keeps_sums()) part.sums = kernels::Vector<Device>("sums", length_ - 1);
    parts_.push_back(std::move(part));
  }
}

kernels::Motion<Device> Assignment::motion_to(std::span<const double> centers) const {
  constexpr double up = 1 + 1e-12, down = 1 - 1e-12;  // more than these sums are wrong by
  const std::size_t features = shift_.size();
  std::vector<double> drifts(k_, 0.0), gaps(k_, std::numeric_limits<double>::infinity());
  kernels::Motion<Device> motion;
  for (std::size_t c = 0; c < k_; ++c) {
    if (!last_.empty()) drifts[c] = up * distance(&last_[c * features], &centers[c * features], features);
    if (drifts[c] > motion.largest) {
      motion.second = motion.largest;
      motion.largest = drifts[c];
      motion.furthest = static_cast<int>(c);
    } else {
      motion.second = std::max(motion.second, drifts[c]);
    }
  }
  each_pair(k_, [&](std::size_t a, std::size_t b) {
    const double half = down / 2 * distance(&centers[a * features], &centers[b * features], features);
    gaps[a] = std::min(gaps[a], half);
    gaps[b] = std::min(gaps[b], half);
  });
  motion.drifts = to_device(drifts);
  motion.half_gaps = to_device(gaps);
  return motion;
}

void Assignment::settle(const ShardRows::Chunk& chunk, const kernels::Motion<Device>& motion,
                        const Vector& out) {
  const Device space;
  Part& part = parts_[chunk.index];
  const bool unsettled = kernels::move_bounds(space, motion, error_, part.bounds) > 0;
  const Vector& sums = keeps_sums() ? part.sums : scratch_;
  Kokkos::deep_copy(changed_, keeps_sums() ? 0 : 1);
  if (unsettled || !keeps_sums()) {
    const auto rows = rows_->features_of(chunk);
    const std::size_t moved = unsettled ? kernels::assign<Device>(space, rows, centers_, motion.half_gaps,
                                                                  error_, part.bounds, changed_)
                                        : 0;
    moved_ += static_cast<double>(moved);
    if (moved > 0 || !keeps_sums())
      kernels::cluster_sums<Device>(space, rows, centers_, part.bounds.labels, changed_, part.weights, sums);
  }
  kernels::add<Device>(space, sums, kernels::part_of<Device>(out, 0, length_ - 1));
}

ClusterSums Assignment::operator()(std::span<const double> centers, unsigned wishes) {
  centers_ = kernels::make_centers<Device>(centers, shift_);
  const kernels::Motion<Device> motion = motion_to(centers);
  double longest = 0;
  const std::vector<double> middle(shift_.size(), 0.0);
  for (std::size_t c = 0; c < k_; ++c)
    longest = std::fmax(longest, distance(&centers[c * shift_.size()], middle.data(), shift_.size()));
  error_ = error_of_square(reach_, longest, shift_.size());
  last_.assign(centers.begin(), centers.end());
  const auto sums = sum_(
      [&](std::uint64_t shard, const Vector& out) {
        Kokkos::deep_copy(out, 0.0);
        moved_ = 0;
        for (const auto& chunk : rows_->chunks_of(shard)) settle(chunk, motion, out);
        Kokkos::deep_copy(kernels::part_of<Device>(out, length_ - 1, 1), moved_);
      },
      wishes);
  const auto counts = sums.begin() + static_cast<std::ptrdiff_t>(k_ * shift_.size());
  return {{sums.begin(), counts}, {counts, sums.end() - 1}, sums.back()};
}

std::vector<std::uint64_t> Assignment::furthest(std::size_t count) {
  struct Far {
    double squared;
    std::uint64_t row;
    bool operator<(const Far& other) const {
      return squared != other.squared ? squared > other.squared : row < other.row;
    }
  };
  std::vector<Far> far;
  const auto keep_first = [&] {
    std::sort(far.begin(), far.end());
    far.resize(std::min(far.size(), count));
  };
  for (const auto& chunk : rows_->chunks()) {
    const auto squared = kernels::make_vector<Device>(chunk.rows.count());
    kernels::squared_distances<Device>(Device(), rows_->features_of(chunk), centers_,
                                       parts_[chunk.index].bounds.labels, squared);
    Device().fence();
    const auto on_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), squared);
    const auto weights = rows_->weights_of(chunk);
    for (std::size_t i = 0; i < on_host.extent(0); ++i)
      if (on_host(i) > 0 && (weights.empty() || weights[i] > 0))
        far.push_back({on_host(i), chunk.rows.begin + i});
    keep_first();
  }
  std::vector<double> distances;
  std::vector<std::uint64_t> rows;
  for (const Far& one : far) {
    distances.push_back(one.squared);
    rows.push_back(one.row);
  }
  distances = comm_->allgatherv(std::span<const double>(distances));
  rows = comm_->allgatherv(std::span<const std::uint64_t>(rows));
  far.clear();
  for (std::size_t i = 0; i < rows.size(); ++i) far.push_back({distances[i], rows[i]});
  keep_first();
  rows.clear();
  for (const Far& one : far) rows.push_back(one.row);
  return rows;
}

}  // namespace kernmill::tasks
