#include "kernmill/tasks/learn/rows/chunk_source.hpp"

#include <chrono>
#include <utility>

#include "kernmill/storage/conversion.hpp"
#include "kernmill/tasks/models/network/device_rows.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;
using Chunks = std::vector<storage::IndexRange>;
using storage::Element;

constexpr bool device_is_apart =
    !Kokkos::SpaceAccessibility<Kokkos::HostSpace, Device::memory_space>::accessible;

std::uint64_t rows_in(const Chunks& chunks) {
  return chunks.empty() ? 0 : chunks.back().end - chunks.front().begin;
}

/// Whether the rows in the file are the doubles that are computed with.
bool are_plain(const storage::Encoding& encoding) {
  return !encoding.sparse && encoding.features == Element::f64 && encoding.bytes.empty() &&
         encoding.center.empty();
}

using Clock = std::chrono::steady_clock;

void count(Reading& reading, Clock::time_point start, std::uint64_t bytes) {
  reading.seconds += std::chrono::duration<double>(Clock::now() - start).count();
  reading.bytes += bytes;
}

/// From the file, each time.
class StreamedRows : public ChunkSource {
 public:
  StreamedRows(const Rows& rows, Loss loss, Chunks chunks)
      : loader_(rows, loss), chunks_(std::move(chunks)) {}
  Batch chunk(std::size_t index) override {
    Batch batch = loader_.load(chunks_.at(index));
    if (index + 1 < chunks_.size()) loader_.prefetch(chunks_[index + 1]);
    reading_ = loader_.reading();
    reading_.again = true;
    return batch;
  }
  [[nodiscard]] const Reading& reading() const override { return reading_; }

 private:
  BatchLoader loader_;
  Chunks chunks_;
  Reading reading_;
};

/// On the device, as they are computed with.
class DeviceRows : public ChunkSource {
 public:
  DeviceRows(const Rows& rows, Loss loss, Chunks chunks) : loader_(rows, loss), chunks_(std::move(chunks)) {
    if (!chunks_.empty()) all_ = loader_.load(storage::IndexRange{chunks_.front().begin, chunks_.back().end});
  }
  Batch chunk(std::size_t index) override {
    const storage::IndexRange range = chunks_.at(index);
    return part_of(all_, range.begin - chunks_.front().begin, range.count());
  }
  [[nodiscard]] const Reading& reading() const override { return loader_.reading(); }

 private:
  BatchLoader loader_;
  Chunks chunks_;
  Batch all_;
};

/// In the host's memory as they lie in the file.
class KeptRows : public ChunkSource {
 public:
  KeptRows(const Rows& rows, Loss loss, Chunks chunks) : rows_(rows), chunks_(std::move(chunks)) {
    stored_.resize(rows_in(chunks_) * rows.stored_row_bytes());
    const std::uint64_t width = rows.target_width();
    std::vector<double> target(rows_in(chunks_) * width);
    for (const storage::IndexRange& range : chunks_) {
      const std::uint64_t first = range.begin - chunks_.front().begin;
      const auto of_target = std::span(target).subspan(first * width, range.count() * width);
      const auto start = Clock::now();
      rows.read_stored(range, stored(range), of_target);
      count(reading_, start, of_target.size_bytes() + stored(range).size());
    }
    set_target(targets_, loss, target, rows);
    if (loss.is_of_numbers()) numbers_ = std::move(target);
  }
  Batch chunk(std::size_t index) override { return rows(chunks_.at(index)); }
  Batch part(std::size_t index, std::size_t first, std::size_t count) override {
    const std::uint64_t begin = chunks_.at(index).begin + first;
    return rows({begin, begin + count});
  }
  Batch targets(std::size_t index, std::size_t first, std::size_t count) override {
    return part_of(targets_, chunks_.at(index).begin + first - chunks_.front().begin, count);
  }
  [[nodiscard]] const Reading& reading() const override { return reading_; }

 private:
  Batch rows(storage::IndexRange range) {
    decoded_.resize(range.count() * rows_.features());
    rows_.decode(stored(range), decoded_);
    Batch batch = part_of(targets_, range.begin - chunks_.front().begin, range.count());
    batch.features = features_on_device(decoded_, rows_.features());
    return batch;
  }
  [[nodiscard]] std::span<std::byte> stored(storage::IndexRange range) {
    const std::uint64_t bytes = rows_.stored_row_bytes();
    return std::span(stored_).subspan((range.begin - chunks_.front().begin) * bytes, range.count() * bytes);
  }

  const Rows& rows_;
  Chunks chunks_;
  std::vector<std::byte> stored_;
  Batch targets_;                ///< of all rows
  std::vector<double> numbers_;  ///< what a numeric target is a view of
  std::vector<double> decoded_;
  Reading reading_;
};

/// Sparse rows, their values as they lie in the file.
class KeptSparseRows : public ChunkSource {
 public:
  KeptSparseRows(const Rows& rows, Loss loss, const Chunks& chunks, std::uint64_t memory)
      : rows_(rows), loss_(loss), type_(rows.encoding().features) {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; complete_ && i < chunks.size(); ++i) {
      HostRows read;
      const auto start = Clock::now();
      read.read(rows, chunks[i]);
      count(reading_, start, read.bytes());
      bytes += keep(std::move(read));
      complete_ = bytes <= memory;
    }
  }
  /// Whether the memory was enough.
  [[nodiscard]] bool complete() const { return complete_; }

  Batch chunk(std::size_t index) override {
    Kept& kept = kept_.at(index);
    const storage::SparseRows& sparse = kept.rows.sparse;
    if (is_narrow()) {
      decoded_.resize(sparse.columns.size());
      storage::widen(type_, kept.stored.data(), decoded_);
    }
    Batch batch;
    batch.sparse = on_device(sparse.begins, sparse.columns, is_narrow() ? decoded_ : sparse.values);
    set_target(batch, loss_, kept.rows.target, rows_);
    return batch;
  }
  [[nodiscard]] const Reading& reading() const override { return reading_; }

 private:
  struct Kept {
    HostRows rows;
    std::vector<std::byte> stored;  ///< in place of the values
  };
  [[nodiscard]] bool is_narrow() const { return type_ != Element::f64; }
  std::uint64_t keep(HostRows rows) {
    Kept kept{std::move(rows), {}};
    storage::SparseRows& sparse = kept.rows.sparse;
    if (is_narrow()) {
      kept.stored.resize(sparse.values.size() * storage::size_of(type_));
      (void)storage::narrow(sparse.values, type_, kept.stored.data());  // it is what they were read from
      sparse.values = {};
    }
    sparse.columns.shrink_to_fit();
    sparse.values.shrink_to_fit();
    const std::uint64_t bytes = kept.rows.bytes() + kept.stored.size();
    kept_.push_back(std::move(kept));
    return bytes;
  }

  const Rows& rows_;
  Loss loss_;
  Element type_;
  bool complete_ = true;
  std::vector<Kept> kept_;  ///< by chunk
  std::vector<double> decoded_;
  Reading reading_;
};

std::unique_ptr<ChunkSource> open_sparse(const Rows& rows, Loss loss, Chunks chunks, std::uint64_t memory) {
  if (rows_in(chunks) * rows.row_bytes() / 2 <= memory) {  // else do not even try
    auto kept = std::make_unique<KeptSparseRows>(rows, loss, chunks, memory);
    if (kept->complete()) return kept;
  }
  return std::make_unique<StreamedRows>(rows, loss, std::move(chunks));
}

}  // namespace

// The loaded chunk's views end with the next chunk, which is then the loaded one.
Batch ChunkSource::part(std::size_t index, std::size_t first, std::size_t count) {
  if (first == 0 || index != loaded_index_) {
    loaded_ = chunk(index);
    loaded_index_ = index;
  }
  return part_of(loaded_, first, count);
}

std::unique_ptr<ChunkSource> open_chunk_source(const Rows& rows, Loss loss,
                                               std::vector<storage::IndexRange> chunks,
                                               std::uint64_t memory) {
  if (rows.is_sparse()) return open_sparse(rows, loss, std::move(chunks), memory);
  const std::uint64_t count = rows_in(chunks), target_bytes = rows.target_width() * sizeof(double);
  const bool fits_decoded = count * (rows.row_bytes() + target_bytes) <= memory;
  if (fits_decoded && (device_is_apart || are_plain(rows.encoding())))
    return std::make_unique<DeviceRows>(rows, loss, std::move(chunks));
  if (count * (rows.stored_row_bytes() + target_bytes) <= memory)
    return std::make_unique<KeptRows>(rows, loss, std::move(chunks));
  return std::make_unique<StreamedRows>(rows, loss, std::move(chunks));
}

}  // namespace kernmill::tasks
