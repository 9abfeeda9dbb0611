#include "kernmill/tasks/data/prepare/write_dataset.hpp"

#include <array>
#include <cstring>

#include "kernmill/tasks/comm/stop.hpp"
#include "kernmill/tasks/data/prepare/arrange.hpp"
#include "kernmill/tasks/data/prepare/stored_rows.hpp"
#include "kernmill/tasks/data/store/blocks_together.hpp"

namespace kernmill::tasks {
namespace {

using storage::all_parts;
using storage::Part;

/// Rows of one part, as they are written.
struct PartRows {
  std::vector<std::byte> features;
  std::vector<double> target, before, at, weights;
  std::vector<std::uint64_t> row_numbers;
};

void append(std::vector<double>& to, const double* from, std::size_t count) {
  to.insert(to.end(), from, from + count);
}

void append_sample(const SampleLayout& layout, std::span<const std::byte> features, const double* row,
                   PartRows& part) {
  part.features.insert(part.features.end(), features.begin(), features.end());
  append(part.target, row + layout.target(), layout.targets);
  if (layout.levels) append(part.before, row + layout.before(), layout.targets);
  if (layout.levels) append(part.at, row + layout.at(), layout.targets);
  if (layout.weighted) part.weights.push_back(row[layout.weight()]);
  part.row_numbers.push_back(static_cast<std::uint64_t>(row[layout.number()]));
}

void clear(PartRows& rows) {
  rows.features.clear();
  for (auto* numbers : {&rows.target, &rows.before, &rows.at, &rows.weights}) numbers->clear();
  rows.row_numbers.clear();
}

/// Writes the parts, a block at a time on all ranks.
class PartWriter {
 public:
  PartWriter(const Prepared& prepared, storage::DatasetWriter& writer)
      : writer_(writer),
        levels_(prepared.samples.layout.levels),
        weights_(prepared.samples.layout.weighted),
        rounded_(prepared.encoding.features == storage::Element::f16 ||
                 prepared.encoding.features == storage::Element::bf16) {}

  /// Rows of this rank begin at `first` in each part.
  void start(const storage::PartSizes& first) { next_ = first; }
  /// Collective.
  void write(Part part, const PartRows& rows) {
    std::uint64_t& first = next_[static_cast<std::size_t>(part)];
    if (rounded_)
      writer_.write(part, first, as_doubles(rows.features), rows.target, rows.row_numbers);
    else
      writer_.write_stored(part, first, rows.features, rows.target, rows.row_numbers);
    if (levels_) writer_.write_levels(part, first, rows.before, rows.at);
    if (weights_) writer_.write_weights(part, first, rows.weights);
    first += rows.row_numbers.size();
  }

 private:
  static std::vector<double> as_doubles(std::span<const std::byte> bytes) {
    std::vector<double> numbers(bytes.size() / sizeof(double));
    if (!bytes.empty()) std::memcpy(numbers.data(), bytes.data(), bytes.size());
    return numbers;
  }

  storage::DatasetWriter& writer_;
  bool levels_, weights_, rounded_;
  storage::PartSizes next_{};
};

/// Writes all samples in the order of the input. With `training`, those of the training part go there
/// instead.
void write_in_order(const Communicator& comm, const Prepared& prepared, const StoredRows& stored,
                    PartWriter& writer, RowStore* training) {
  const SampleLayout& layout = prepared.samples.layout;
  std::array<PartRows, 3> rows;
  std::vector<std::byte> features;
  const auto distribute = [&](std::uint64_t first, std::span<const double> block) {
    features.clear();
    stored.append(block, layout.width(), features);
    for (std::uint64_t i = 0; i < block.size() / layout.width(); ++i) {
      const auto row = block.subspan(i * layout.width(), layout.width());
      const auto own = std::span(features).subspan(i * stored.row_bytes(), stored.row_bytes());
      const Part part = prepared.parts[first + i];
      for (std::uint32_t copy = 0; copy < prepared.copies[first + i]; ++copy)
        if (training != nullptr && part == Part::train)
          training->append(row);
        else
          append_sample(layout, own, row.data(), rows[static_cast<std::size_t>(part)]);
    }
  };
  each_block_together(comm, prepared.samples.rows, [&](std::uint64_t first, std::span<const double> block) {
    comm.agree([&] { distribute(first, block); });
    if (agree_to_stop(comm)) throw Stopped{};
    for (const Part part : all_parts) {
      if (part == Part::train && training != nullptr) continue;
      writer.write(part, rows[static_cast<std::size_t>(part)]);
      clear(rows[static_cast<std::size_t>(part)]);
    }
  });
}

void write_training(const Communicator& comm, const SampleLayout& layout, const StoredRows& stored,
                    const RowStore& rows, PartWriter& writer) {
  PartRows part;
  std::vector<std::byte> features;
  each_block_together(comm, rows, [&](std::uint64_t, std::span<const double> block) {
    comm.agree([&] {
      clear(part);
      features.clear();
      stored.append(block, layout.width(), features);
      for (std::uint64_t i = 0; i < block.size() / layout.width(); ++i)
        append_sample(layout, std::span(features).subspan(i * stored.row_bytes(), stored.row_bytes()),
                      block.data() + i * layout.width(), part);
    });
    if (agree_to_stop(comm)) throw Stopped{};
    writer.write(Part::train, part);
  });
}

}  // namespace

storage::PartSizes count_parts(const Prepared& prepared) {
  storage::PartSizes sizes{};
  for (std::uint64_t i = 0; i < prepared.samples.count(); ++i)
    sizes[static_cast<std::size_t>(prepared.parts[i])] += prepared.copies[i];
  return sizes;
}

void write_rows(const Communicator& comm, const Prepared& prepared,
                const std::optional<std::uint64_t>& shuffle_seed, const Buffer& buffer,
                storage::DatasetWriter& dataset) {
  const Transform transform(prepared.inputs, prepared.schema.steps);
  const StoredRows stored(transform, prepared.encoding);
  PartWriter writer(prepared, dataset);
  storage::PartSizes first = count_parts(prepared);
  std::uint64_t train = first[0];
  comm.exscan(std::span<std::uint64_t>(first));
  writer.start(first);
  if (!shuffle_seed) return write_in_order(comm, prepared, stored, writer, nullptr);
  RowStore training(prepared.samples.rows.types(), buffer);
  write_in_order(comm, prepared, stored, writer, &training);
  training = shuffled(comm, training, *shuffle_seed, buffer);
  train = comm.allreduce(train, Reduction::sum);
  first[0] = storage::even_share(train, comm.rank(), comm.size()).begin;
  writer.start(first);
  write_training(comm, prepared.samples.layout, stored, training, writer);
}

}  // namespace kernmill::tasks
