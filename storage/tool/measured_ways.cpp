#include "kernmill/storage/tool/measured_ways.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "kernmill/storage/file/agreement.hpp"
#include "kernmill/storage/file/durable.hpp"
#include "kernmill/storage/file/raw_file.hpp"
#include "kernmill/storage/transport/choice.hpp"

namespace kernmill::storage::tool {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t most_at_once = std::uint64_t{64} << 20U;
constexpr std::size_t raw_piece = std::size_t{1} << 20U;

/// Numbers that no file system makes smaller.
void fill(std::vector<double>& numbers, std::uint64_t seed) {
  for (double& number : numbers) {
    seed += 0x9E3779B97F4A7C15U;  // SplitMix64 (Steele, Lea, Flood 2014)
    std::uint64_t z = seed;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    number = static_cast<double>((z ^ (z >> 31U)) >> 11U) * 0x1p-53;
  }
}

Schema schema_of(std::uint64_t columns) {
  Schema schema;
  for (std::uint64_t i = 0; i < columns; ++i) schema.features.push_back(fmt::format("x{}", i));
  schema.target = "y";
  schema.target_kind = TargetKind::numbers;
  schema.target_names = {"y"};
  return schema;
}

class RawWay : public Way {
 public:
  explicit RawWay(MPI_Comm comm) : comm_(comm) {}
  [[nodiscard]] std::string name() const override { return "raw"; }

  void write(const fs::path& file, MeasuredRows& rows) override {
    name_ = file;
    beside_ = file.string() + ".partial";
    rows_ = &rows;
    agree_on_root(comm_, [&] { create_empty(beside_, file); });
    agree(comm_, [&] {
      file_.emplace(beside_, name_, RawFile::Access::write);
      each([&](std::uint64_t at, std::span<std::byte> bytes) { file_->write(at, bytes); });
    });
  }
  void finish() override {
    agree(comm_, [&] {
      file_->sync();
      std::vector<std::byte> back(raw_piece);
      each([&](std::uint64_t at, std::span<std::byte> bytes) {
        file_->read(at, std::span(back).first(bytes.size()));
      });
      file_.reset();
    });
    agree_on_root(comm_, [&] { publish(beside_, name_); });
  }
  void open(const fs::path& file) override {
    agree(comm_, [&] { file_.emplace(file, file, RawFile::Access::read); });
  }
  void read(MeasuredRows& rows) override {
    rows_ = &rows;
    agree(comm_,
          [&] { each([&](std::uint64_t at, std::span<std::byte> bytes) { file_->read(at, bytes); }); });
  }
  void read_rows(std::span<const std::uint64_t> numbers, MeasuredRows& rows) override {
    agree(comm_, [&] {
      auto out = std::as_writable_bytes(std::span(rows.features));
      for (const std::uint64_t number : numbers) {
        file_->read(number * MeasuredRows::row_bytes, out.first(MeasuredRows::row_bytes));
        out = out.subspan(MeasuredRows::row_bytes);
      }
    });
  }
  void close() override { file_.reset(); }
  void make_small(const fs::path& file) override {
    agree_on_root(comm_, [&] {
      const fs::path beside = file.string() + ".partial";
      create_empty(beside, file);
      sync_file(beside, file);
      publish(beside, file);
    });
  }

 private:
  template <class Work>
  void each(const Work& work) {
    for (std::uint64_t number = 0; number < rows_->pieces; ++number) {
      const IndexRange piece = rows_->piece(number);
      auto bytes = std::as_writable_bytes(rows_->features_of(piece));
      for (std::uint64_t at = piece.begin * MeasuredRows::row_bytes; !bytes.empty();) {
        const auto next = bytes.first(std::min(raw_piece, bytes.size()));
        work(at, next);
        at += next.size();
        bytes = bytes.subspan(next.size());
      }
    }
  }

  MPI_Comm comm_;
  fs::path name_, beside_;
  MeasuredRows* rows_ = nullptr;
  std::optional<RawFile> file_;
};

class DatasetWay : public Way {
 public:
  DatasetWay(MPI_Comm comm, Transport transport) : comm_(comm), transport_(transport) {}
  [[nodiscard]] std::string name() const override { return to_string(transport_); }
  void write(const fs::path& file, MeasuredRows& rows) override {
    writer_ = writer(file, MeasuredRows::columns, rows.rows);
    const std::vector<std::uint64_t> numbers(rows.rows_at_once);
    for (std::uint64_t number = 0; number < rows.pieces; ++number) {
      const IndexRange piece = rows.piece(number);
      writer_->write(Part::train, piece.begin, rows.features_of(piece), rows.target_of(piece),
                     std::span(numbers).first(piece.count()));
    }
  }
  void finish() override {
    writer_->commit();
    writer_.reset();
  }
  void open(const fs::path& file) override {
    Access access;
    access.transport = asking_for(transport_);
    reader_ = std::make_unique<DatasetReader>(comm_, file, access);
  }
  void read(MeasuredRows& rows) override {
    for (std::uint64_t number = 0; number < rows.pieces; ++number) {
      const IndexRange piece = rows.piece(number);
      reader_->read_stored_together(Part::train, piece, std::as_writable_bytes(rows.features_of(piece)));
    }
  }
  void read_rows(std::span<const std::uint64_t> numbers, MeasuredRows& rows) override {
    agree(comm_, [&] {
      reader_->read_rows(Part::train, numbers,
                         std::span(rows.features).first(numbers.size() * MeasuredRows::columns),
                         std::span(rows.target).first(numbers.size()));
    });
  }
  void close() override { reader_.reset(); }
  void make_small(const fs::path& file) override {
    const auto made = writer(file, 1, 1);
    const std::uint64_t rows = rank_in(comm_) == 0 ? 1 : 0;
    const std::vector<double> zero(rows);
    const std::vector<std::uint64_t> number(rows);
    made->write(Part::train, rank_in(comm_) == 0 ? 0 : 1, zero, zero, number);
    made->commit();
  }

 private:
  std::unique_ptr<DatasetWriter> writer(const fs::path& file, std::uint64_t columns, std::uint64_t rows) {
    WriteOptions options;
    options.transport = asking_for(transport_);
    return std::make_unique<DatasetWriter>(comm_, file, schema_of(columns), PartSizes{rows, 0, 0}, options);
  }

  MPI_Comm comm_;
  Transport transport_;
  std::unique_ptr<DatasetWriter> writer_;
  std::unique_ptr<DatasetReader> reader_;
};

}  // namespace

MeasuredRows::MeasuredRows(MPI_Comm comm, std::uint64_t bytes)
    : rows(std::max<std::uint64_t>(bytes / row_bytes, 1)),
      own(even_share(rows, rank_in(comm), size_of(comm))) {
  const auto ranks = static_cast<std::uint64_t>(size_of(comm));
  const std::uint64_t most = (rows + ranks - 1) / ranks;
  rows_at_once = std::min(most, most_at_once / row_bytes);
  pieces = (most + rows_at_once - 1) / rows_at_once;
  features.resize(std::max(rows_at_once, std::uint64_t{128}) * columns);
  target.resize(std::max(rows_at_once, std::uint64_t{128}));
  fill(features, static_cast<std::uint64_t>(rank_in(comm)) << 40U);
  fill(target, 1);
}

IndexRange MeasuredRows::piece(std::uint64_t number) const {
  const std::uint64_t begin = std::min(own.begin + number * rows_at_once, own.end);
  return {begin, std::min(begin + rows_at_once, own.end)};
}

std::unique_ptr<Way> raw_way(MPI_Comm comm) {
  return std::make_unique<RawWay>(comm);
}

std::unique_ptr<Way> dataset_way(MPI_Comm comm, Transport transport) {
  return std::make_unique<DatasetWay>(comm, transport);
}

}  // namespace kernmill::storage::tool
