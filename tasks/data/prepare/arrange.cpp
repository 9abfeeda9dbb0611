#include "kernmill/tasks/data/prepare/arrange.hpp"

#include <algorithm>

#include "kernmill/kernels/tabulated_permutation.hpp"
#include "kernmill/tasks/data/store/blocks_together.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

/// Rows on their way, each with its new place in front, by the rank that they go to.
std::vector<double> by_owner(const std::vector<std::vector<double>>& parcels,
                             std::vector<std::uint64_t>& lengths) {
  std::vector<double> all;
  for (std::size_t rank = 0; rank < parcels.size(); ++rank) {
    lengths[rank] = parcels[rank].size();
    all.insert(all.end(), parcels[rank].begin(), parcels[rank].end());
  }
  return all;
}

}  // namespace

std::vector<std::uint32_t> balanced(const Communicator& comm, Balance how, std::uint64_t seed,
                                    const Samples& samples, const std::vector<storage::Part>& parts,
                                    std::size_t classes) {
  std::vector<std::uint32_t> copies(samples.count(), 1);
  if (how == Balance::none) return copies;
  if (classes == 0)
    throw TaskError("`balance` needs a target of classes", {},
                    "leave it out, or set the target's type to class");
  const auto each_training_sample = [&](const auto& work) {
    samples.rows.each_block([&](std::uint64_t first, std::span<const double> rows) {
      for (std::uint64_t i = 0; i < rows.size() / samples.layout.width(); ++i)
        if (parts[first + i] == storage::Part::train)
          work(first + i,
               static_cast<std::size_t>(rows[i * samples.layout.width() + samples.layout.target()]));
    });
  };
  std::vector<std::uint64_t> next(classes, 0);
  each_training_sample([&](std::uint64_t, std::size_t c) { ++next[c]; });
  std::vector<std::uint64_t> sizes = next;
  comm.exscan(std::span(next));
  comm.allreduce(std::span(sizes), Reduction::sum);
  const bool oversample = how == Balance::oversample;
  std::uint64_t wanted = oversample ? 0 : UINT64_MAX;
  for (const std::uint64_t size : sizes)
    if (size > 0) wanted = oversample ? std::max(wanted, size) : std::min(wanted, size);
  std::vector<kernels::TabulatedPermutation> orders;
  for (std::size_t c = 0; c < classes; ++c)
    orders.emplace_back(std::max<std::uint64_t>(sizes[c], 1), seed, c);
  each_training_sample([&](std::uint64_t i, std::size_t c) {
    const bool drawn = orders[c](next[c]++) < wanted % sizes[c];
    copies[i] = static_cast<std::uint32_t>(wanted / sizes[c] + (drawn ? 1 : 0));
  });
  return copies;
}

RowStore shuffled(const Communicator& comm, const RowStore& rows, std::uint64_t seed, const Buffer& buffer) {
  const std::uint64_t total = comm.allreduce(rows.rows(), Reduction::sum), first = comm.exscan(rows.rows());
  const auto mine = storage::even_share(total, comm.rank(), comm.size());
  const kernels::TabulatedPermutation order(std::max<std::uint64_t>(total, 1), seed, 0);
  const std::uint64_t width = rows.width();
  RowStore result(rows.types(), buffer);
  comm.agree([&] { result.resize(mine.count()); });

  std::vector<std::vector<double>> parcels(static_cast<std::size_t>(comm.size()));
  const auto exchange = [&] {
    std::vector<std::uint64_t> to(parcels.size(), 0), from;
    const auto sent = by_owner(parcels, to);
    const auto received =
        comm.alltoallv(std::span<const double>(sent), std::span<const std::uint64_t>(to), from);
    for (std::uint64_t i = 0; i < received.size(); i += width + 1)
      result.put(static_cast<std::uint64_t>(received[i]) - mine.begin,
                 std::span(received).subspan(i + 1, width));
    for (auto& parcel : parcels) parcel.clear();
  };
  each_block_together(comm, rows, [&](std::uint64_t begin, std::span<const double> block) {
    for (std::uint64_t i = 0; i < block.size() / width; ++i) {
      const std::uint64_t place = order(first + begin + i);
      auto& parcel = parcels[static_cast<std::size_t>(storage::owner_of(place, total, comm.size()))];
      parcel.push_back(static_cast<double>(place));
      parcel.insert(parcel.end(), block.begin() + static_cast<std::ptrdiff_t>(i * width),
                    block.begin() + static_cast<std::ptrdiff_t>((i + 1) * width));
    }
    exchange();
  });
  return result;
}

}  // namespace kernmill::tasks
