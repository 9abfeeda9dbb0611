#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <mpi.h>

#include "kernmill/storage/dataset/schema.hpp"
#include "kernmill/storage/error.hpp"
#include "kernmill/storage/even_share.hpp"
#include "kernmill/storage/sealed/access.hpp"

namespace kernmill::storage {

/// The parts of a dataset; every row belongs to one.
enum class Part { train, validation, test };
inline constexpr std::array all_parts{Part::train, Part::validation, Part::test};
const char* to_string(Part part);

/// How many rows each part has.
using PartSizes = std::array<std::uint64_t, 3>;

struct WriteOptions {
  std::optional<Key> key;         ///< encrypts the tables and the schema
  std::string provenance = "{}";  ///< JSON text: what the dataset was made of, and by what
};

/// Writes a dataset in parallel: every rank of `comm` calls every method, in the same order. The file appears
/// under its name only when `commit` has returned (temporary name, write, fsync, read back and compared,
/// rename). Throws storage::Error on every rank when any rank fails.
class DatasetWriter {
 public:
  DatasetWriter(MPI_Comm comm, const std::filesystem::path& file, const Schema& schema,
                const PartSizes& sizes, const WriteOptions& options = {});
  ~DatasetWriter();
  /// Rows [first_row, first_row + n) of a part, each once. features: n x d row-major; target: n x k row-major
  /// (k = 1 and class indices for a class target; empty when there is none); row_numbers: n 0-based data rows
  /// of the input. A rank without rows takes part with n = 0.
  void write(Part part, std::uint64_t first_row, std::span<const double> features,
             std::span<const double> target, std::span<const std::uint64_t> row_numbers);
  /// For a series: the price level of each target column one horizon before, and at, each sample's target: n
  /// x k each.
  void write_levels(Part part, std::uint64_t first_row, std::span<const double> before,
                    std::span<const double> at);
  void commit();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Reads a dataset. Opening is collective over `comm`; reads are independent (each rank reads what it wants,
/// when it wants; its threads may share the reader). Throws storage::Error: which file, what is wrong with it
/// (down to the block of a table), what to do.
class DatasetReader {
 public:
  DatasetReader(MPI_Comm comm, const std::filesystem::path& file, const Access& access = {});
  ~DatasetReader();
  [[nodiscard]] const Schema& schema() const;
  [[nodiscard]] const std::string& provenance() const;
  /// 64 hexadecimal digits: the same for the same schema and tables, whoever wrote them, when and where,
  /// encrypted or not. Empty for a file of format version 1.
  [[nodiscard]] const std::string& content_hash() const;
  [[nodiscard]] std::uint64_t rows(Part part) const;
  [[nodiscard]] std::uint64_t feature_count() const;
  /// Columns of the target: 1 for classes, the number of columns for numbers, 0 for none.
  [[nodiscard]] std::uint64_t target_count() const;
  /// Rows [range.begin, range.end): features into n x d, target into n x k (empty span: not wanted).
  void read(Part part, IndexRange range, std::span<double> features, std::span<double> target) const;
  /// The rows with these numbers within the part, in this order.
  void read_rows(Part part, std::span<const std::uint64_t> rows, std::span<double> features,
                 std::span<double> target) const;
  void read_row_numbers(Part part, IndexRange range, std::span<std::uint64_t> out) const;
  void read_levels(Part part, IndexRange range, std::span<double> before, std::span<double> at) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kernmill::storage
