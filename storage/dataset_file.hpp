#pragma once
#include <array>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>

#include "kernmill/storage/agreement.hpp"
#include "kernmill/storage/dataset.hpp"
#include "kernmill/storage/hdf5.hpp"

/// Private to storage/: the tables of a dataset file, and how ranks hold one open together.
namespace kernmill::storage {

inline constexpr const char* dataset_format = "kernmill-dataset";

/// The tables of a part, below its group.
enum class Table { features, target, row_numbers, levels_before, levels_at };
inline constexpr std::array all_tables{Table::features, Table::target, Table::row_numbers,
                                       Table::levels_before, Table::levels_at};
std::string path_of(Part part, Table table);
hdf5::Type type_of(Table table);
std::size_t dimensions_of(Table table);

/// Columns of the target: 1 for classes, one a name for numbers, 0 for none.
std::uint64_t target_count_of(const Schema& schema);
/// The shape of a table of a part with so many rows; nothing when a dataset of this schema has no such table.
std::optional<hdf5::Shape> shape_of(Table table, const Schema& schema, std::uint64_t rows);

/// Every table of a part that a schema asks for, open.
using OpenTables = std::array<std::array<std::optional<hdf5::Dataset>, all_tables.size()>, all_parts.size()>;
OpenTables open_tables(const hdf5::File& file, const Schema& schema);

/// A file that the ranks of a communicator hold open through MPI-IO. Closing is collective; but a rank that
/// is thrown out alone must not wait for others that will never come, so then it gives up after a while.
class SharedFile {
 public:
  SharedFile(const std::filesystem::path& file, const std::filesystem::path& named, MPI_Comm comm,
             bool writable, const Schema& schema);
  ~SharedFile();
  SharedFile(const SharedFile&) = delete;
  SharedFile& operator=(const SharedFile&) = delete;
  [[nodiscard]] const hdf5::Dataset& table(Part part, Table table) const;
  /// Collective. An Error when the last bytes could not be written.
  void close();

 private:
  struct Open {
    hdf5::File file;
    OpenTables tables;
  };
  std::filesystem::path named_;
  OwnComm comm_;
  std::unique_ptr<Open> open_;
  int exceptions_ = std::uncaught_exceptions();
};

}  // namespace kernmill::storage
