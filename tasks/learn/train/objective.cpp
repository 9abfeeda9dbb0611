#include "kernmill/tasks/learn/train/objective.hpp"

#include <numeric>

namespace kernmill::tasks {
namespace {

Network::Vector parameters_on_device(const std::vector<double>& parameters) {
  return Kokkos::create_mirror_view_and_copy(
      kernels::Device::memory_space(),
      kernels::Vector<kernels::Host>(const_cast<double*>(parameters.data()), parameters.size()));
}

}  // namespace

Objective::Objective(Session& session, const Rows& rows, Network& network, const Criterion& criterion,
                     std::uint64_t memory)
    : session_(session),
      network_(network),
      criterion_(criterion),
      rows_(rows.count()),
      sum_(session.comm(), shard_count, network.sums_length()),
      source_(open_chunk_source(rows, network.shape().loss, own_chunks(), memory)) {}

std::vector<storage::IndexRange> Objective::own_chunks() {
  std::vector<storage::IndexRange> chunks;
  const storage::IndexRange own = sum_.own();
  for (std::uint64_t leaf = own.begin; leaf < own.end; ++leaf) {
    first_chunk_.push_back(chunks.size());
    append_chunks(shard_of(rows_, leaf), Network::chunk_rows, chunks);
  }
  first_chunk_.push_back(chunks.size());
  return chunks;
}

template <class Take>
void Objective::each_chunk(std::uint64_t leaf, const Take& take) {
  const std::size_t own = leaf - sum_.own().begin;
  for (std::size_t i = first_chunk_[own]; i < first_chunk_[own + 1]; ++i) take(source_->chunk(i));
}

void Objective::set_losses(Evaluation& at, const std::vector<double>& parameters,
                           std::span<const double> losses) const {
  at.loss.assign(losses.begin(), losses.end() - 1);
  at.right = losses.back();
  at.value = criterion_.weight * std::accumulate(at.loss.begin(), at.loss.end(), 0.0) +
             criterion_.penalty_of(network_, parameters);
}

Evaluation Objective::operator()(const std::vector<double>& parameters) {
  const auto on_device = parameters_on_device(parameters);
  const auto shard_sums = [&](std::uint64_t leaf, const Network::Vector& out) {
    Kokkos::deep_copy(kernels::Device(), out, 0.0);
    each_chunk(leaf, [&](const Batch& chunk) { network_.add_sums(on_device, chunk, out); });
  };
  const auto sums = sum_(shard_sums, session_.wishes());
  session_.judge(source_->reading());
  Evaluation at;
  at.gradient.assign(sums.begin(), sums.begin() + static_cast<std::ptrdiff_t>(parameters.size()));
  for (double& value : at.gradient) value *= criterion_.weight;
  criterion_.add_penalty_gradient(network_, parameters, at.gradient);
  set_losses(at, parameters, sums.subspan(parameters.size()));
  return at;
}

Evaluation Objective::without_gradient(const std::vector<double>& parameters) {
  const auto on_device = parameters_on_device(parameters);
  LeafSum<kernels::Device> sum(session_.comm(), shard_count, network_.losses_length());
  const auto losses = sum([&](std::uint64_t leaf, const Network::Vector& out) {
    Kokkos::deep_copy(kernels::Device(), out, 0.0);
    each_chunk(leaf, [&](const Batch& chunk) { network_.add_losses(on_device, chunk, out); });
  });
  session_.judge(source_->reading());
  Evaluation at;
  set_losses(at, parameters, losses);
  return at;
}

}  // namespace kernmill::tasks
