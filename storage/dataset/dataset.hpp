#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <mpi.h>

#include "kernmill/storage/dataset/encoding.hpp"
#include "kernmill/storage/dataset/schema.hpp"
#include "kernmill/storage/error.hpp"
#include "kernmill/storage/even_share.hpp"
#include "kernmill/storage/sealed/access.hpp"
#include "kernmill/storage/transport/choice.hpp"
#include "kernmill/storage/transport/settings.hpp"

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
  Encoding encoding{};
  PartSizes entries{};  ///< of sparse rows: how many each part has
  TransportSettings transport{};
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
  /// of the input. A rank without rows takes part with n = 0. A number that its type does not hold is an
  /// Error that names row and column; a float type rounds to the nearest. Sparse rows take write_sparse.
  void write(Part part, std::uint64_t first_row, std::span<const double> features,
             std::span<const double> target, std::span<const std::uint64_t> row_numbers);
  /// The same of dense rows as they lie in the file (see Encoding).
  void write_stored(Part part, std::uint64_t first_row, std::span<const std::byte> rows,
                    std::span<const double> target, std::span<const std::uint64_t> row_numbers);
  /// The same of sparse rows; `first_entry` counts the entries of the part before them.
  void write_sparse(Part part, std::uint64_t first_row, std::uint64_t first_entry, const SparseRows& rows,
                    std::span<const double> target, std::span<const std::uint64_t> row_numbers);
  /// For a series: the price level of each target column one horizon before, and at, each sample's target: n
  /// x k each.
  void write_levels(Part part, std::uint64_t first_row, std::span<const double> before,
                    std::span<const double> at);
  /// Of a schema with weights: those of n rows, none negative.
  void write_weights(Part part, std::uint64_t first_row, std::span<const double> weights);
  void commit();
  /// How the tables go to the file, and why.
  [[nodiscard]] const TransportChoice& transport() const;
  /// What MPI-IO made of the hints; nothing with posix.
  [[nodiscard]] const std::map<std::string, std::string>& hints() const;

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
  [[nodiscard]] const Encoding& encoding() const;
  [[nodiscard]] std::uint64_t rows(Part part) const;
  /// Of sparse rows: how many entries they have.
  [[nodiscard]] std::uint64_t entries(Part part) const;
  [[nodiscard]] std::uint64_t feature_count() const;
  /// Columns of the target: 1 for classes, the number of columns for numbers, 0 for none.
  [[nodiscard]] std::uint64_t target_count() const;
  /// Rows [range.begin, range.end): features into n x d, target into n x k (empty span: not wanted).
  void read(Part part, IndexRange range, std::span<double> features, std::span<double> target) const;
  /// The rows with these numbers within the part, in this order.
  void read_rows(Part part, std::span<const std::uint64_t> rows, std::span<double> features,
                 std::span<double> target) const;
  void read(Part part, IndexRange range, std::span<float> features, std::span<float> target) const;
  void read_rows(Part part, std::span<const std::uint64_t> rows, std::span<float> features,
                 std::span<float> target) const;

  /// Dense rows as they lie in the file, stored_row_bytes() each: to be kept in memory, and decoded when they
  /// are needed.
  [[nodiscard]] std::uint64_t stored_row_bytes() const;
  void read_stored(Part part, IndexRange range, std::span<std::byte> out) const;
  void read_stored_rows(Part part, std::span<const std::uint64_t> rows, std::span<std::byte> out) const;
  /// Collective, each rank with a range of its own (an empty one where it wants none): what a parallel file
  /// system likes. Through MPI-IO every rank throws when any fails.
  void read_stored_together(Part part, IndexRange range, std::span<std::byte> out) const;
  /// Whether single rows are dear here: whoever can, reads in ranges, together.
  [[nodiscard]] bool prefers_large_reads() const;
  /// How `read_stored_together` reads. (The others read by pread: a finished file never changes.)
  [[nodiscard]] const TransportChoice& transport() const;
  /// Stored rows as features.
  void decode(std::span<const std::byte> stored, std::span<double> features) const;
  void decode(std::span<const std::byte> stored, std::span<float> features) const;

  /// Sparse rows, in place of what `out` holds. (`read` and `read_rows` give them dense.)
  void read_sparse(Part part, IndexRange range, SparseRows& out) const;
  void read_sparse_rows(Part part, std::span<const std::uint64_t> rows, SparseRows& out) const;

  void read_row_numbers(Part part, IndexRange range, std::span<std::uint64_t> out) const;
  void read_levels(Part part, IndexRange range, std::span<double> before, std::span<double> at) const;
  /// The weights of rows, where the schema has them.
  void read_weights(Part part, IndexRange range, std::span<double> out) const;
  void read_weights(Part part, std::span<const std::uint64_t> rows, std::span<double> out) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kernmill::storage
