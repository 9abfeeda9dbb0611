#include "hdf5_rows.hpp"

#include <array>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>

namespace kernmill::tasks {
namespace {

template <class Status>
Status check(Status status, const char* what) {
  if (status >= 0) return status;
  fmt::print(stderr, "HDF5 cannot {}\n", what);
  std::abort();
}

}  // namespace

Hdf5Rows::Hdf5Rows(const std::filesystem::path& file, const std::string& name)
    : file_(check(H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), "open a file")),
      data_(check(H5Dopen2(file_, name.c_str(), H5P_DEFAULT), "open a dataset")),
      type_(check(H5Dget_type(data_), "tell the type")),
      space_(check(H5Dget_space(data_), "tell the shape")) {
  std::array<hsize_t, 2> shape{};
  check(H5Sget_simple_extent_dims(space_, shape.data(), nullptr), "tell the shape");
  columns_ = shape[1];
}

Hdf5Rows::~Hdf5Rows() {
  H5Sclose(space_);
  H5Tclose(type_);
  H5Dclose(data_);
  H5Fclose(file_);
}

std::uint64_t Hdf5Rows::offset() const {
  return H5Dget_offset(data_);
}

void Hdf5Rows::read(std::span<const std::uint64_t> rows, void* out) const {
  check(H5Sselect_none(space_), "select rows");
  const std::array<hsize_t, 2> count{1, columns_};
  for (const std::uint64_t row : rows) {
    const std::array<hsize_t, 2> start{row, 0};
    check(H5Sselect_hyperslab(space_, H5S_SELECT_OR, start.data(), nullptr, count.data(), nullptr),
          "select rows");
  }
  const hsize_t elements = rows.size() * columns_;
  const hid_t memory = check(H5Screate_simple(1, &elements, nullptr), "describe memory");
  check(H5Dread(data_, type_, memory, space_, H5P_DEFAULT, out), "read rows");
  H5Sclose(memory);
}

void make_float_table(const std::filesystem::path& file, std::uint64_t rows, std::uint64_t columns) {
  const std::vector<float> values(rows * columns, 0.5F);
  const std::array<hsize_t, 2> shape{rows, columns};
  const hid_t out = check(H5Fcreate(file.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), "create a file");
  const hid_t space = check(H5Screate_simple(2, shape.data(), nullptr), "describe a shape");
  const hid_t data =
      check(H5Dcreate2(out, "table", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
            "create a dataset");
  check(H5Dwrite(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), "write a dataset");
  H5Dclose(data);
  H5Sclose(space);
  check(H5Fclose(out), "close a file");
}

}  // namespace kernmill::tasks
