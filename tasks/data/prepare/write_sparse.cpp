#include "kernmill/tasks/data/prepare/write_sparse.hpp"

#include <array>

#include "kernmill/kernels/tabulated_permutation.hpp"
#include "kernmill/tasks/comm/stop.hpp"

namespace kernmill::tasks {
namespace {

using storage::all_parts;
using storage::Part;

constexpr std::uint64_t entries_at_once = std::uint64_t{1} << 18U, rows_at_once = std::uint64_t{1} << 14U;

/// What lies beside the features of samples.
struct Beside {
  std::vector<double> target;  ///< none where there is no target
  std::vector<std::uint64_t> row_numbers;
};

Beside beside_of(const Samples& samples) {
  Beside all;
  const SampleLayout& layout = samples.layout;
  all.row_numbers.reserve(samples.count());
  samples.rows.each_block([&](std::uint64_t, std::span<const double> block) {
    for (std::size_t at = 0; at < block.size(); at += layout.width()) {
      if (layout.targets > 0) all.target.push_back(block[at + layout.target()]);
      all.row_numbers.push_back(static_cast<std::uint64_t>(block[at + layout.number()]));
    }
  });
  return all;
}

/// Rows of one part, as they are written.
struct SparsePart {
  storage::SparseRows rows;
  Beside beside;
  void take(const SparseStore& features, const Beside& from, std::uint64_t row) {
    features.read(row, 1, rows);
    if (!from.target.empty()) beside.target.push_back(from.target[row]);
    beside.row_numbers.push_back(from.row_numbers[row]);
  }
};

/// Collective: calls `work` with some of this rank's rows at a time, as often on every rank.
template <class Work>
void each_range_together(const Communicator& comm, const SparseStore& features, const Work& work) {
  const auto ranges = features.ranges_of(rows_at_once, entries_at_once);
  const std::uint64_t rounds = comm.allreduce(std::uint64_t{ranges.size()}, Reduction::max);
  for (std::uint64_t i = 0; i < rounds; ++i) {
    if (agree_to_stop(comm)) throw Stopped{};
    work(i < ranges.size() ? ranges[i] : storage::IndexRange{});
  }
}

class SparseWriter {
 public:
  SparseWriter(storage::DatasetWriter& dataset, const storage::PartSizes& first_row,
               const storage::PartSizes& first_entry)
      : dataset_(dataset), row_(first_row), entry_(first_entry) {}
  /// Collective.
  void write(Part part, const SparsePart& rows) {
    const auto i = static_cast<std::size_t>(part);
    dataset_.write_sparse(part, row_[i], entry_[i], rows.rows, rows.beside.target, rows.beside.row_numbers);
    row_[i] += rows.rows.rows();
    entry_[i] += rows.rows.values.size();
  }
  void start(Part part, std::uint64_t row, std::uint64_t entry) {
    row_[static_cast<std::size_t>(part)] = row;
    entry_[static_cast<std::size_t>(part)] = entry;
  }

 private:
  storage::DatasetWriter& dataset_;
  storage::PartSizes row_, entry_;
};

/// Training rows on their way to the rank that writes them.
class Shuffle {
 public:
  Shuffle(const Communicator& comm, std::uint64_t own_rows, std::uint64_t seed, bool targets,
          const Buffer& buffer)
      : comm_(comm),
        total_(comm.allreduce(own_rows, Reduction::sum)),
        next_(comm.exscan(own_rows)),
        mine_(storage::even_share(total_, comm.rank(), comm.size())),
        order_(std::max<std::uint64_t>(total_, 1), seed, 0),
        parcels_(static_cast<std::size_t>(comm.size())),
        rows_(buffer),
        arrival_(mine_.count()) {
    if (targets) beside_.target.resize(mine_.count());
    beside_.row_numbers.resize(mine_.count());
  }

  /// A row of this rank's, in their order.
  void send(const SparseStore& features, const Beside& beside, std::uint64_t row) {
    const std::uint64_t place = order_(next_++);
    auto& parcel = parcels_[static_cast<std::size_t>(storage::owner_of(place, total_, comm_.size()))];
    storage::SparseRows one;
    features.read(row, 1, one);
    parcel.insert(parcel.end(),
                  {static_cast<double>(place), static_cast<double>(beside.row_numbers[row]),
                   beside.target.empty() ? 0 : beside.target[row], static_cast<double>(one.values.size())});
    parcel.insert(parcel.end(), one.columns.begin(), one.columns.end());
    parcel.insert(parcel.end(), one.values.begin(), one.values.end());
  }

  /// Collective.
  void exchange() {
    std::vector<double> sent;
    std::vector<std::uint64_t> to, from;
    for (auto& parcel : parcels_) {
      to.push_back(parcel.size());
      sent.insert(sent.end(), parcel.begin(), parcel.end());
      parcel.clear();
    }
    const auto received =
        comm_.alltoallv(std::span<const double>(sent), std::span<const std::uint64_t>(to), from);
    comm_.agree([&] { keep(received); });
  }

  /// Collective. Writes the rows that have come here, in their new order.
  void write(SparseWriter& writer) const {
    writer.start(Part::train, mine_.begin, comm_.exscan(rows_.entries()));
    const std::uint64_t step = std::max<std::uint64_t>(
        1, std::min(rows_at_once,
                    entries_at_once / (rows_.entries() / std::max<std::uint64_t>(rows_.rows(), 1) + 1)));
    const std::uint64_t rounds = comm_.allreduce((mine_.count() + step - 1) / step, Reduction::max);
    for (std::uint64_t i = 0; i < rounds; ++i) {
      if (agree_to_stop(comm_)) throw Stopped{};
      SparsePart part;
      comm_.agree([&] {
        for (std::uint64_t at = i * step; at < std::min((i + 1) * step, mine_.count()); ++at) {
          rows_.read(arrival_[at], 1, part.rows);
          if (!beside_.target.empty()) part.beside.target.push_back(beside_.target[at]);
          part.beside.row_numbers.push_back(beside_.row_numbers[at]);
        }
      });
      writer.write(Part::train, part);
    }
  }

 private:
  void keep(std::span<const double> received) {
    std::vector<std::uint32_t> columns;
    for (std::size_t at = 0; at < received.size();) {
      const std::uint64_t place = static_cast<std::uint64_t>(received[at]) - mine_.begin;
      const auto entries = static_cast<std::size_t>(received[at + 3]);
      beside_.row_numbers[place] = static_cast<std::uint64_t>(received[at + 1]);
      if (!beside_.target.empty()) beside_.target[place] = received[at + 2];
      arrival_[place] = rows_.rows();
      columns.clear();
      for (const double column : received.subspan(at + 4, entries))
        columns.push_back(static_cast<std::uint32_t>(column));
      rows_.append(columns, received.subspan(at + 4 + entries, entries));
      at += 4 + 2 * entries;
    }
  }

  const Communicator& comm_;
  std::uint64_t total_, next_;
  storage::IndexRange mine_;
  kernels::TabulatedPermutation order_;
  std::vector<std::vector<double>> parcels_;
  SparseStore rows_;                    ///< as they came
  std::vector<std::uint64_t> arrival_;  ///< by place: which of them
  Beside beside_;                       ///< by place
};

}  // namespace

storage::PartSizes count_entries(const Prepared& prepared) {
  storage::PartSizes sizes{};
  const SparseStore& features = prepared.sparse;
  for (std::uint64_t i = 0; i < prepared.samples.count(); ++i)
    sizes[static_cast<std::size_t>(prepared.parts[i])] +=
        prepared.copies[i] * (features.entries_before(i + 1) - features.entries_before(i));
  return sizes;
}

void write_sparse_rows(const Communicator& comm, const Prepared& prepared,
                       const std::optional<std::uint64_t>& shuffle_seed, const Buffer& buffer,
                       storage::DatasetWriter& dataset) {
  Beside beside;
  comm.agree([&] { beside = beside_of(prepared.samples); });
  storage::PartSizes first_row = count_parts(prepared), first_entry = count_entries(prepared);
  std::optional<Shuffle> shuffle;
  if (shuffle_seed) shuffle.emplace(comm, first_row[0], *shuffle_seed, !beside.target.empty(), buffer);
  comm.exscan(std::span<std::uint64_t>(first_row));
  comm.exscan(std::span<std::uint64_t>(first_entry));
  SparseWriter writer(dataset, first_row, first_entry);
  each_range_together(comm, prepared.sparse, [&](storage::IndexRange range) {
    std::array<SparsePart, 3> parts;
    comm.agree([&] {
      for (std::uint64_t row = range.begin; row < range.end; ++row)
        for (std::uint32_t copy = 0; copy < prepared.copies[row]; ++copy)
          if (shuffle && prepared.parts[row] == Part::train)
            shuffle->send(prepared.sparse, beside, row);
          else
            parts[static_cast<std::size_t>(prepared.parts[row])].take(prepared.sparse, beside, row);
    });
    if (shuffle) shuffle->exchange();
    for (const Part part : all_parts)
      if (!(shuffle && part == Part::train)) writer.write(part, parts[static_cast<std::size_t>(part)]);
  });
  if (shuffle) shuffle->write(writer);
}

}  // namespace kernmill::tasks
