#include "kernmill/tasks/learn/rows/shard_rows.hpp"

#include <cmath>

#include <fmt/format.h>

#include "kernmill/kernels/clusters.hpp"
#include "kernmill/kernels/reduce.hpp"
#include "kernmill/tasks/learn/rows/leaf_sum.hpp"
#include "kernmill/tasks/models/network/network.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {

using kernels::Device;

namespace {

void require_dense(const Rows& rows) {
  if (rows.is_sparse())
    throw TaskError("this model takes dense rows, and the dataset's are sparse", {},
                    "write `sparse: false` in the preprocess stage");
  if (rows.features() == 0) throw TaskError("the data has no features", {}, "look at the preprocess stage");
}

}  // namespace

ShardRows::ShardRows(const Communicator& comm, const Rows& rows, std::uint64_t memory)
    : comm_(&comm),
      rows_(&rows),
      ranges_(rows.count(), storage::even_share(shard_count, comm.rank(), comm.size()), Network::chunk_rows) {
  require_dense(rows);
  chunks_.reserve(ranges_.all().size());
  for (const storage::IndexRange& range : ranges_.all()) chunks_.push_back({chunks_.size(), range});
  // Numbers as they are, where there are any: what they are the classes of is not looked at.
  const Loss target = rows.targets() == 0 ? Loss::cross_entropy : Loss::squared_error;
  comm.agree([&] {
    source_ = open_chunk_source(rows, target, ranges_.all(), memory);
    if (rows.is_weighted()) weights_ = weights_of_chunks();
  });
}

std::vector<double> ShardRows::weights_of_chunks() const {
  const std::uint64_t width = rows_->target_width();
  std::vector<double> weights, target;
  for (const Chunk& chunk : chunks_) {
    target.resize(chunk.rows.count() * width);
    rows_->read(chunk.rows, std::span<double>(), target);
    for (std::size_t i = width - 1; i < target.size(); i += width) weights.push_back(target[i]);
  }
  return weights;
}

std::span<const ShardRows::Chunk> ShardRows::chunks_of(std::uint64_t shard) const {
  const storage::IndexRange range = ranges_.of(shard);
  return std::span(chunks_).subspan(range.begin, range.count());
}

std::vector<double> ShardRows::read(std::span<const std::uint64_t> rows) const {
  std::vector<double> values(rows.size() * features());
  comm_->agree([&] {
    if (comm_->is_root()) rows_->read(rows, values, std::span<double>());
  });
  comm_->bcast(std::span<double>(values));
  return values;
}

Spread spread_of(const Communicator& comm, ShardRows& rows) {
  const std::size_t features = rows.features();
  const auto columns = kernels::make_vector<Device>(features);
  LeafSum<Device> sum(comm, shard_count, features);
  const auto sums = sum([&](std::uint64_t shard, const kernels::Vector<Device>& out) {
    Kokkos::deep_copy(out, 0.0);
    for (const auto& chunk : rows.chunks_of(shard)) {
      kernels::column_sums<Device>(Device(), rows.features_of(chunk), columns);
      kernels::add<Device>(Device(), columns, out);
    }
  });
  Spread spread{{sums.begin(), sums.end()}, 0, 0};
  for (double& value : spread.mean) value /= static_cast<double>(rows.count());
  const std::vector<double> middle(features, 0.0);
  const auto center = kernels::make_centers<Device>(middle, spread.mean);
  sum.set_length(1);
  double furthest = 0;
  const auto squares = sum([&](std::uint64_t shard, const kernels::Vector<Device>& out) {
    double total = 0;
    for (const auto& chunk : rows.chunks_of(shard)) {
      const auto all = rows.features_of(chunk);
      const kernels::Labels<Device> labels("labels", all.extent(0));
      const auto squared = kernels::make_vector<Device>(all.extent(0));
      kernels::squared_distances<Device>(Device(), all, center, labels, squared);
      const auto on_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), squared);
      for (std::size_t i = 0; i < on_host.extent(0); ++i) {
        total += on_host(i);
        furthest = std::fmax(furthest, on_host(i));
      }
    }
    Kokkos::deep_copy(out, total);
  });
  spread.squares = squares[0];
  spread.furthest = std::sqrt(comm.allreduce(furthest, Reduction::max));
  return spread;
}

}  // namespace kernmill::tasks
