#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernmill/storage/error.hpp"

namespace kernmill::storage {

/// Whether what a file of somebody else's says may be looked for in other files: external storage, links to
/// other files, virtual datasets, and the code of filters in plug-ins.
enum class OtherFiles { refused, allowed };

/// How the numbers of a dataset lie in its file.
struct NumberKind {
  bool whole = false, is_signed = true;
  std::uint64_t bytes = 8;
};

/// A value of an enumeration.
struct Named {
  double value = 0;
  std::string name;
};

/// An HDF5 file of somebody else's: its datasets of numbers, or of the values of an enumeration, as doubles.
/// One rank's. Throws Error: which file, which dataset, what is wrong with it.
class ArrayFile {
 public:
  explicit ArrayFile(const std::filesystem::path& file, OtherFiles other_files = OtherFiles::refused);
  ~ArrayFile();
  ArrayFile(const ArrayFile&) = delete;
  ArrayFile& operator=(const ArrayFile&) = delete;

  /// The datasets at the root that hold numbers in one or two dimensions, by name.
  [[nodiscard]] std::vector<std::string> tables() const;
  /// One or two extents. Throws for any other dataset.
  [[nodiscard]] std::vector<std::uint64_t> shape(const std::string& dataset) const;
  /// Whether its numbers are integers of 64 bits: a double does not hold them all.
  [[nodiscard]] bool has_wide_integers(const std::string& dataset) const;
  /// What its values are called where it is one of an enumeration (h5py's booleans are: FALSE and TRUE).
  [[nodiscard]] std::vector<Named> enumeration(const std::string& dataset) const;
  /// What its numbers are in the file: no more than the bytes of a double, whole or not, signed or not.
  [[nodiscard]] NumberKind kind(const std::string& dataset) const;
  /// Rows [first, first + count), whatever the layout, filters and type of number.
  void read(const std::string& dataset, std::uint64_t first, std::uint64_t count,
            std::span<double> out) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kernmill::storage
