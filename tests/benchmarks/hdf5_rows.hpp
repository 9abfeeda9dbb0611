#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include <hdf5.h>

namespace kernmill::tasks {

/// A contiguous two-dimensional dataset as HDF5's own users read it. One rank's. Ends the program on errors.
class Hdf5Rows {
 public:
  Hdf5Rows(const std::filesystem::path& file, const std::string& name);
  ~Hdf5Rows();
  Hdf5Rows(const Hdf5Rows&) = delete;
  Hdf5Rows& operator=(const Hdf5Rows&) = delete;

  /// Where it begins in the file.
  [[nodiscard]] std::uint64_t offset() const;
  /// The rows with these numbers in ascending order, by one hyperslab each, joined by OR.
  void read(std::span<const std::uint64_t> rows, void* out) const;

 private:
  hid_t file_, data_, type_, space_;
  hsize_t columns_ = 0;
};

/// A new file with such a dataset, `table`, of float32.
void make_float_table(const std::filesystem::path& file, std::uint64_t rows, std::uint64_t columns);

}  // namespace kernmill::tasks
