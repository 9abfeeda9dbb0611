#include "kernmill/tasks/learn/train/objective.hpp"

#include <numeric>

namespace kernmill::tasks {

Objective::Objective(Session& session, const Rows& rows, Network& network, const Criterion& criterion)
    : session_(session),
      network_(network),
      criterion_(criterion),
      rows_(rows.count()),
      loader_(rows, network.shape().loss),
      sum_(session.comm(), shard_count, network.sums_length()) {
  const storage::IndexRange own = sum_.own();
  if (own.count() == 0) return;
  first_row_ = shard(own.begin).begin;
  const storage::IndexRange range{first_row_, shard(own.end - 1).end};
  if (range.count() > 0) batch_ = loader_.load(range);
  session.judge(loader_.reading());
}

storage::IndexRange Objective::shard(std::uint64_t leaf) const {
  return storage::even_share(rows_, static_cast<int>(leaf), static_cast<int>(shard_count));
}

Evaluation Objective::operator()(const std::vector<double>& parameters) {
  const auto on_device = Kokkos::create_mirror_view_and_copy(
      kernels::Device::memory_space(),
      kernels::Vector<kernels::Host>(const_cast<double*>(parameters.data()), parameters.size()));
  const auto shard_sums = [&](std::uint64_t leaf, const Network::Vector& out) {
    const storage::IndexRange range = shard(leaf);
    const bool empty = range.count() == 0;
    network_.sums(on_device, empty ? Batch{} : part_of(batch_, range.begin - first_row_, range.count()), out);
  };
  const auto sums = sum_(shard_sums, session_.wishes());
  Evaluation at;
  at.gradient.assign(sums.begin(), sums.begin() + static_cast<std::ptrdiff_t>(parameters.size()));
  at.loss.assign(sums.begin() + static_cast<std::ptrdiff_t>(parameters.size()), sums.end() - 1);
  at.right = sums.back();
  for (double& value : at.gradient) value *= criterion_.weight;
  criterion_.add_penalty_gradient(network_, parameters, at.gradient);
  at.value = criterion_.weight * std::accumulate(at.loss.begin(), at.loss.end(), 0.0) +
             criterion_.penalty_of(network_, parameters);
  return at;
}

}  // namespace kernmill::tasks
