#pragma once
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/base/sha256.hpp"
#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/storage/sealed/sealed_table.hpp"

/// Private to storage/: what a dataset file has inside (see README.md).
namespace kernmill::storage {

inline constexpr const char* dataset_format = "kernmill-dataset";
/// Of datasets that have weights: who does not know of them must not read such a one as if each row counted
/// once.
inline constexpr std::uint64_t weighted_version = 4;

/// The tables of a part, below its group.
enum class Table {
  features,
  bytes,
  indptr,
  indices,
  values,
  target,
  weights,
  row_numbers,
  levels_before,
  levels_at
};
inline constexpr std::array all_tables{
    Table::features, Table::bytes,   Table::indptr,      Table::indices,       Table::values,
    Table::target,   Table::weights, Table::row_numbers, Table::levels_before, Table::levels_at};
std::string path_of(Part part, Table table);

/// Columns of the target: 1 for classes, one a name for numbers, 0 for none.
std::uint64_t target_count_of(const Schema& schema);

/// A table that a dataset of a schema has.
struct TableShape {
  Part part;
  Table table;
  hdf5::Type type;
  hdf5::Shape shape;
  [[nodiscard]] std::string path() const { return path_of(part, table); }
  [[nodiscard]] std::uint64_t columns() const { return shape.size() > 1 ? shape[1] : 1; }
};

/// The tables of a dataset in the order that everybody counts them in, and how many rows and entries the
/// parts have.
class DatasetTables {
 public:
  DatasetTables(const Schema& schema, const Encoding& encoding, const PartSizes& rows,
                const PartSizes& entries);
  [[nodiscard]] const std::vector<TableShape>& all() const { return all_; }
  [[nodiscard]] std::uint64_t rows(Part part) const { return rows_[static_cast<std::size_t>(part)]; }
  [[nodiscard]] const PartSizes& rows() const { return rows_; }
  [[nodiscard]] std::uint64_t entries(Part part) const { return entries_[static_cast<std::size_t>(part)]; }
  [[nodiscard]] const PartSizes& entries() const { return entries_; }
  /// Its place in the order; nothing when a dataset of this schema has no such table.
  [[nodiscard]] std::optional<std::size_t> find(Part part, Table table) const;
  [[nodiscard]] std::vector<std::string> paths() const;

 private:
  std::vector<TableShape> all_;
  PartSizes rows_, entries_;
};

/// How many rows the parts of a file have.
PartSizes rows_in(const hdf5::File& file);
/// The same of the entries of sparse rows.
PartSizes entries_in(const hdf5::File& file);

/// Where the tables lie. Throws when one is missing or of another shape. Version 1 has no checksums.
std::vector<SealedTable> find_tables(const hdf5::File& file, const DatasetTables& tables, bool encrypted);

/// What is not in the tables: plain, or in the encrypted content.
void write_about(const hdf5::File& file, const Schema& schema, const Encoding& encoding,
                 const std::string& provenance);

/// The content's digest: SHA-256 over the schema (but where its input came from), the encoding, and each
/// table's path, type, shape and digest. `about` is the file that has the schema.
std::string content_hash(const hdf5::File& about, const DatasetTables& tables,
                         const std::vector<Digest>& digests);

}  // namespace kernmill::storage
