#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernmill/storage/hdf5/array_file.hpp"
#include "kernmill/tasks/data/read/input.hpp"
#include "kernmill/tasks/data/read/input_file.hpp"

namespace kernmill::tasks {

/// Rows of numbers that can be read anywhere.
struct RowSource {
  std::uint64_t rows = 0, columns = 0;
  bool wide_integers = false;                     ///< of 64 bits, which a double does not hold from 2^53 on
  storage::Element type = storage::Element::f64;  ///< holds them all
  std::vector<storage::Named> enumeration{};      ///< what the numbers are called; empty: they are numbers
  /// `out` holds count x columns.
  std::function<void(std::uint64_t first, std::uint64_t count, std::span<double> out)> read{};
};

/// Columns that belong together; the sources' rows follow each other.
struct ColumnGroup {
  std::vector<std::string> names;
  std::vector<RowSource> sources;
  [[nodiscard]] std::uint64_t rows() const;
};

/// Arrays of numbers in binary files: .npy, IDX, HDF5. The ranks split the rows.
class MatrixInput : public Input {
 public:
  /// Throws TaskError when the groups have different numbers of rows, or columns the same name.
  MatrixInput(std::string name, std::vector<ColumnGroup> groups);
  [[nodiscard]] const std::vector<std::string>& names() const override { return names_; }
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] storage::Element type(std::size_t column) const override { return columns_.at(column).type; }
  [[nodiscard]] std::vector<std::vector<std::string>> first_rows(const Communicator& comm,
                                                                 std::size_t rows) const override;
  [[nodiscard]] RawTable read(const Communicator& comm, const Selection& selection,
                              const Buffer& buffer) const override;

 private:
  struct Column {
    bool wide = false;
    storage::Element type = storage::Element::f64;
    std::map<double, std::string> names{};  ///< of an enumeration
    bool boolean = false;                   ///< an enumeration of FALSE and TRUE
  };
  static Column column_of(const ColumnGroup& group);
  [[nodiscard]] static std::string text_of(const Column& column, double value);
  [[nodiscard]] static std::string take(const Column& column, double value, std::size_t wanted, bool as_text,
                                        ValueJudge& judge, double& slot);
  void read_rows(std::uint64_t first, std::uint64_t count, std::vector<double>& values) const;
  void take_row(const Selection& selection, std::span<const double> row, std::uint64_t number,
                ValueJudge& judge, RawTable& table) const;

  std::string name_;
  std::vector<ColumnGroup> groups_;
  std::vector<std::string> names_;
  std::vector<Column> columns_;
};

/// The arrays of .npy or IDX files as one group. Throws TaskError.
enum class ArrayFormat { npy, idx };
ColumnGroup array_columns(const InputFiles& files, ArrayFormat format);
/// The datasets of HDF5 files: those that are named, else all at the root that are tables of numbers. HDF5
/// may crash on a damaged file: the output directory gets an error.json that says so.
std::vector<ColumnGroup> hdf5_columns(const InputFiles& files, std::vector<std::string> datasets,
                                      storage::OtherFiles other_files,
                                      const std::filesystem::path& output_directory);

}  // namespace kernmill::tasks
