#include <array>
#include <cstdint>
#include <limits>
#include <span>

#include "hdf5_tricks.hpp"
#include "hostile_files.hpp"
#include "kernmill/storage/dataset/dataset.hpp"

namespace kernmill::testing {
namespace fs = std::filesystem;
namespace {

using Pointers = std::array<std::uint64_t, 5>;
using Columns = std::array<std::uint32_t, 5>;

storage::Schema colours() {
  storage::Schema schema;
  schema.features = {"red", "green", "blue"};
  schema.inputs = storage::numbers_named(schema.features);
  schema.target = "kind";
  schema.target_kind = storage::TargetKind::classes;
  schema.classes = {"a", "b"};
  return schema;
}

/// Four rows of two, none, one and two entries, for training and for the test.
void write_sparse(const fs::path& file) {
  storage::WriteOptions options;
  options.encoding.sparse = true;
  options.encoding.features = storage::Element::f32;
  options.entries = {5, 0, 5};
  storage::DatasetWriter writer(MPI_COMM_SELF, file, colours(), {4, 0, 4}, options);
  const std::vector<double> target{0, 1, 0, 1};
  const std::vector<std::uint64_t> numbers{0, 1, 2, 3};
  for (const storage::Part part : {storage::Part::train, storage::Part::test})
    writer.write_sparse(part, 0, 0, {{0, 2, 2, 3, 5}, {0, 2, 1, 0, 1}, {1, 2, 3, 4, 5}}, target, numbers);
  writer.commit();
}

void write_mixed(const fs::path& file) {
  storage::WriteOptions options;
  options.encoding.features = storage::Element::f16;
  options.encoding.bytes = {1};
  options.encoding.center = {1, 2, 3};
  options.encoding.scale = {1, 2, 4};
  storage::DatasetWriter writer(MPI_COMM_SELF, file, colours(), {2, 0, 2}, options);
  const std::vector<double> features{0, 0.5, 1, 2, 3, 4}, target{0, 1};
  const std::vector<std::uint64_t> numbers{0, 1};
  for (const storage::Part part : {storage::Part::train, storage::Part::test})
    writer.write(part, 0, features, target, numbers);
  writer.commit();
}

void put_both(hid_t file, const std::string& table, hid_t type, std::span<const std::byte> bytes) {
  for (const char* part : {"train/", "test/"}) put_sealed(file, (part + table).c_str(), type, bytes);
}

void put_numbers(hid_t file, const char* name, hid_t type, const Shape& shape, const void* numbers) {
  put_contiguous(file, name, type, shape);
  const hid_t made = H5Dopen2(file, name, H5P_DEFAULT);
  H5Dwrite(made, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers);
  H5Dclose(made);
}

}  // namespace

std::vector<HostileFile> hostile_typed_datasets(const fs::path& directory) {
  const fs::path sparse = directory / "sound_sparse.h5", mixed = directory / "sound_mixed.h5";
  write_sparse(sparse);
  write_mixed(mixed);
  std::vector<HostileFile> files{{sparse, ""}, {mixed, ""}};
  const auto add = [&](const fs::path& from, const std::string& name, const std::string& told,
                       const auto& change) {
    files.push_back({directory / ("typed_" + name + ".h5"), told});
    forge(from, files.back().file, change);
  };
  constexpr std::uint64_t vast = std::numeric_limits<std::uint64_t>::max() - 3;
  const auto pointers = [&](const std::string& name, Pointers wrong, const std::string& told) {
    add(sparse, name, told,
        [&](hid_t f) { put_both(f, "indptr", H5T_NATIVE_UINT64, std::as_bytes(std::span(wrong))); });
  };
  pointers("rows_that_go_back", {0, 3, 2, 3, 5}, "indptr' is damaged: row 1 has the entries 3 to 2");
  pointers("rows_beyond_the_end", {0, 2, 2, 3, vast}, "indptr' is damaged: row 3 has the entries 3 to");
  pointers("rows_that_leave_some_out", {0, 2, 2, 3, 4}, "indptr' is damaged: it does not have all entries");
  pointers("rows_that_begin_late", {1, 2, 2, 3, 5}, "indptr' is damaged: it does not have all entries");
  pointers("a_row_of_too_many", {0, 0, 0, 0, 5}, "indptr' is damaged: row 3 has 5 entries in 3 columns");
  const auto columns = [&](const std::string& name, Columns wrong, const std::string& told) {
    add(sparse, name, told,
        [&](hid_t f) { put_both(f, "indices", H5T_NATIVE_UINT32, std::as_bytes(std::span(wrong))); });
  };
  columns("columns_beyond_the_end", {0, 3, 1, 0, 1}, "row 0 has the column 3, which is none of its columns");
  columns("vast_columns", {0, 0xffffffffU, 1, 0, 1}, "which is none of its columns");
  columns("columns_twice", {0, 2, 1, 1, 1}, "row 3 has the column 1, which is not above the one before");
  add(sparse, "of_no_layout", "the layout 'spars' is unknown",
      [](hid_t f) { put_text(f, "encoding/layout", "spars"); });
  add(sparse, "without_encoding", "encoding", [](hid_t f) { H5Ldelete(f, "encoding", H5P_DEFAULT); });
  add(sparse, "dense_by_name", "train/features", [](hid_t f) { put_text(f, "encoding/layout", "dense"); });
  add(mixed, "of_another_type", "train/features",
      [](hid_t f) { put_text(f, "encoding/features", "bfloat16"); });
  add(mixed, "of_no_type", "the type 'float128', which is unknown",
      [](hid_t f) { put_text(f, "encoding/features", "float128"); });
  add(mixed, "target_of_bytes", "a target cannot be uint8",
      [](hid_t f) { put_text(f, "encoding/target", "uint8"); });
  const auto byte_columns = [&](const std::string& name, const std::vector<std::uint32_t>& wrong,
                                const std::string& told) {
    add(mixed, name, told, [&](hid_t f) {
      put_numbers(f, "encoding/byte_columns", H5T_STD_U32LE, {wrong.size()}, wrong.data());
    });
  };
  byte_columns("byte_column_of_none", {3}, "the byte columns are not columns in ascending order");
  byte_columns("byte_columns_twice", {1, 1}, "the byte columns are not columns in ascending order");
  byte_columns("more_byte_columns", {0, 1}, "train/features");
  constexpr std::array<double, 3> zero{1, 0, 1}, nan{1, std::numeric_limits<double>::quiet_NaN(), 1};
  add(mixed, "scale_of_zero", "no scale may be 0",
      [&](hid_t f) { put_numbers(f, "encoding/scale", H5T_IEEE_F64LE, {3}, zero.data()); });
  add(mixed, "center_of_none", "centers and scales",
      [&](hid_t f) { put_numbers(f, "encoding/center", H5T_IEEE_F64LE, {3}, nan.data()); });
  add(mixed, "few_centers", "centers and scales",
      [&](hid_t f) { put_numbers(f, "encoding/center", H5T_IEEE_F64LE, {2}, zero.data()); });
  return files;
}

}  // namespace kernmill::testing
