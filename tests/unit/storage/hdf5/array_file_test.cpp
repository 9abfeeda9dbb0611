#include "kernmill/storage/hdf5/array_file.hpp"

#include <array>

#include <gmock/gmock.h>
#include <hdf5.h>

#include "temporary_directory.hpp"

namespace kernmill::storage {
namespace {

using ::testing::ElementsAre;

/// 8 x 2 numbers, 0 to 15, in chunks with all filters that come with HDF5 and that everybody uses.
void write_packed(hid_t where, const char* name) {
  const std::array<hsize_t, 2> shape{8, 2}, chunk{4, 2};
  const hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, shape.data(), nullptr);
  H5Pset_chunk(list, 2, chunk.data());
  H5Pset_shuffle(list);
  H5Pset_deflate(list, 6);
  H5Pset_fletcher32(list);
  const hid_t made = H5Dcreate2(where, name, H5T_STD_I16LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
  std::array<double, 16> values{};
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  H5Dwrite(made, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Dclose(made);
  H5Sclose(space);
  H5Pclose(list);
}

TEST(ArrayFile, ReadsThroughSoftLinksThatStayInside) {
  const kernmill::testing::TemporaryDirectory folder;
  const auto file = folder.path() / "links.h5";
  const hid_t made = H5Fcreate(file.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t group = H5Gcreate2(made, "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  write_packed(group, "table");
  H5Lcreate_soft("table", group, "beside", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_soft("/group/beside", made, "absolute", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_soft("group", made, "way", H5P_DEFAULT, H5P_DEFAULT);
  H5Gclose(group);
  H5Fclose(made);
  const ArrayFile arrays(file);
  EXPECT_THAT(arrays.tables(), ElementsAre("absolute"));
  for (const char* name : {"absolute", "group/table", "/group/beside", "way/table", "./way//beside"}) {
    std::vector<double> row(2);
    arrays.read(name, 3, 1, row);
    EXPECT_THAT(row, ElementsAre(6, 7)) << name;
  }
}

}  // namespace
}  // namespace kernmill::storage
