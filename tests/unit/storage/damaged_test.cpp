// Datasets, models and checkpoints with bytes changed at random: whatever is read from one is what was
// written. HDF5 itself may crash on a damaged file, so each is read in a child process; it has to come back,
// and a crash has to be the child's alone. 10,000 damaged files, a million with KERNMILL_LONG=1.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <numeric>
#include <optional>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include "kernmill/storage/checkpoint/checkpoint.hpp"
#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/storage/file/crc32c.hpp"
#include "kernmill/storage/hdf5/array_file.hpp"
#include "kernmill/storage/hdf5/file_kind.hpp"
#include "kernmill/storage/history/history.hpp"
#include "kernmill/storage/model/model.hpp"
#include "kernmill/storage/tool/guard.hpp"
#include "temporary_directory.hpp"

namespace kernmill::storage {
namespace {

namespace fs = std::filesystem;
using Values = std::vector<double>;

Schema flowers() {
  Schema schema;
  schema.features = {"length", "width"};
  schema.inputs = numbers_named(schema.features);
  schema.steps = {{"scale", schema.features, {1, 2, 3, 4}, {}}};
  schema.target = "species";
  schema.target_kind = TargetKind::classes;
  schema.classes = {"setosa", "virginica"};
  return schema;
}

Values ramp(std::size_t count) {
  Values values(count);
  std::iota(values.begin(), values.end(), 0.5);
  return values;
}

/// Of bytes and float32 with a scale.
void write_mixed(const fs::path& file) {
  WriteOptions options;
  options.encoding.features = Element::f32;
  options.encoding.bytes = {1};
  options.encoding.center = {0.5, 1};
  options.encoding.scale = {2, 2};
  DatasetWriter writer(MPI_COMM_SELF, file, flowers(), {40, 0, 0}, options);
  Values features = ramp(80);
  for (double& feature : features) feature -= 0.5;
  writer.write(Part::train, 0, features, Values(40, 1.0), std::vector<std::uint64_t>(40));
  writer.commit();
}

void write_sparse(const fs::path& file) {
  WriteOptions options;
  options.encoding.sparse = true;
  options.encoding.features = Element::f32;
  SparseRows rows;
  for (std::uint32_t row = 0; row < 40; ++row) {
    if (row % 3 != 0) rows.columns.push_back(0);
    if (row % 3 != 1) rows.columns.push_back(1);
    rows.begins.push_back(rows.columns.size());
  }
  options.entries[0] = rows.columns.size();
  rows.values = ramp(rows.columns.size());
  DatasetWriter writer(MPI_COMM_SELF, file, flowers(), {40, 0, 0}, options);
  writer.write_sparse(Part::train, 0, 0, rows, Values(40, 1.0), std::vector<std::uint64_t>(40));
  writer.commit();
}

void write_dataset(const fs::path& file) {
  DatasetWriter writer(MPI_COMM_SELF, file, flowers(), {40, 0, 10});
  for (const auto& [part, rows] : {std::pair{Part::train, 40U}, std::pair{Part::test, 10U}}) {
    std::vector<std::uint64_t> numbers(rows);
    std::iota(numbers.begin(), numbers.end(), 0);
    writer.write(part, 0, ramp(2 * rows), Values(rows, 1.0), numbers);
  }
  writer.commit();
}

std::string of_dataset(const fs::path& file) {
  const DatasetReader data(MPI_COMM_SELF, file);
  std::string all = data.content_hash();
  for (const Part part : all_parts) {
    Values features(data.rows(part) * data.feature_count()), target(data.rows(part) * data.target_count());
    data.read(part, {0, data.rows(part)}, features, target);
    all += fmt::format(" {} {:x} {:x}", data.rows(part), crc32c(std::span<const double>(features)),
                       crc32c(std::span<const double>(target)));
  }
  for (const std::string& name : data.schema().classes) all += ' ' + name;
  return all;
}

std::string of_tensors(const std::vector<Tensor>& tensors) {
  std::string all;
  for (const Tensor& tensor : tensors)
    all += fmt::format(" {} {} {:x}", tensor.name, tensor.shape.size(), crc32c(tensor.data.bytes));
  return all;
}

/// What there is to read in a file.
std::string content(const fs::path& file) {
  switch (kind_of(file)) {
    case FileKind::dataset:
      return of_dataset(file);
    case FileKind::model: {
      const Model model = read_model(MPI_COMM_SELF, file);
      return model.type + model.settings + of_tensors(model.parameters);
    }
    case FileKind::history:
      return read_history(file).about;
    case FileKind::checkpoint:
      break;
  }
  const CheckpointReader checkpoint(MPI_COMM_SELF, file);
  std::vector<Tensor> tensors;
  for (const TensorShape& tensor : checkpoint.tensors())
    tensors.push_back(checkpoint.read_whole(tensor.name));
  return fmt::format("{} {}{}", checkpoint.step(), checkpoint.state(), of_tensors(tensors));
}

std::string bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string damaged(std::string bytes, std::mt19937& random) {
  const auto place = [&] {  // half of them where HDF5 keeps its own
    const std::size_t most = random() % 2 == 0 ? std::min<std::size_t>(bytes.size(), 4096) : bytes.size();
    return random() % most;
  };
  const auto changes = 1 + random() % 6;
  for (std::uint64_t i = 0; i < changes && bytes.size() > 1; ++i) {
    const std::size_t at = place();
    switch (random() % 5) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
        break;
      case 1:
        bytes[at] = static_cast<char>(random());
        break;
      case 2:
        bytes[at] = random() % 2 == 0 ? '\0' : '\xFF';
        break;
      case 3:
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(place() / 2),
                    std::min<std::size_t>(8, bytes.size() - at),
                    bytes.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      default:
        if (random() % 8 == 0) bytes.resize(at + 1);
    }
  }
  return bytes;
}

struct Counts {
  unsigned refused = 0, read = 0, crashed = 0;
};

class Damaged : public ::testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] fs::path write(const std::string& kind) const {
    const std::vector<Tensor> tensors{{"weights", {3, 5}, ramp(15)}, {"bias", {5}, ramp(5)}};
    const fs::path file = folder_.path() / (kind + ".h5");
    if (kind == "dataset") write_dataset(file);
    if (kind == "mixed") write_mixed(file);
    if (kind == "sparse") write_sparse(file);
    if (kind == "model") write_model(MPI_COMM_SELF, file, {"softmax", "{}", flowers(), tensors});
    if (kind != "checkpoint") return file;
    write_checkpoint(MPI_COMM_SELF, folder_.path(), {7, "{\"epoch\":3}", tensors});
    return folder_.path() / "step-7.h5";
  }
  [[nodiscard]] const fs::path& path() const { return folder_.path(); }

 private:
  kernmill::testing::TemporaryDirectory folder_;
};

/// Damages the bytes in thousands of ways, and has each file read in a child process, which says what it has
/// read; that has to be `truth`, where there is one.
Counts damage(const std::string& name, const std::string& bytes, const fs::path& file,
              const std::function<std::string()>& read, const std::optional<std::string>& truth) {
  const bool is_long = std::string(std::getenv("KERNMILL_LONG") ? std::getenv("KERNMILL_LONG") : "0") == "1";
  std::mt19937 random(20261121);
  Counts counts;
  for (unsigned i = 0; i < (is_long ? 200'000U : 2'000U); ++i) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << damaged(bytes, random);
    const tool::ChildEnd end = tool::in_child(
        [&](std::string& said) {
          try {
            said = read();
            return 0;
          } catch (const Error&) {
            return 1;
          }
        },
        std::chrono::seconds(60));
    EXPECT_FALSE(end.timed_out) << "number " << i;
    if (end.signal != 0) {
      ++counts.crashed;
    } else if (end.exit_code == 1) {
      ++counts.refused;
    } else {
      ++counts.read;
      EXPECT_EQ(end.said, truth.value_or(end.said)) << "number " << i;
    }
    if (::testing::Test::HasFailure()) break;
  }
  fmt::print("{}: {} refused, {} read, {} crashed the library in its child\n", name, counts.refused,
             counts.read, counts.crashed);
  return counts;
}

TEST_P(Damaged, AFileIsRefusedOrWhatItWas) {
  const fs::path whole = write(GetParam()), file = path() / "damaged.h5";
  const Counts counts = damage(
      GetParam(), bytes_of(whole), file, [&] { return content(file); }, content(whole));
  EXPECT_GT(counts.refused, 1000U);
}

/// As h5py does in the mode 'r+'.
void open_for_writing(const fs::path& file, bool and_write) {
  fs::permissions(file, fs::perms::owner_write, fs::perm_options::add);
  const hid_t opened = H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  ASSERT_GE(opened, 0);
  if (and_write) H5Gclose(H5Gcreate2(opened, "mine", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Fclose(opened);
}

TEST_P(Damaged, AFinishedFileIsReadOnlyAndSaysWhenAnotherProgramHasOpenedItForWriting) {
  for (const bool and_write : {false, true}) {
    const fs::path file = write(GetParam());
    const auto may_write = fs::perms::owner_write | fs::perms::group_write | fs::perms::others_write;
    EXPECT_EQ(fs::status(file).permissions() & may_write, fs::perms::none);
    open_for_writing(file, and_write);
    try {
      content(file);
      ADD_FAILURE() << "it is read, though " << (and_write ? "changed" : "opened");
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find("Was it opened for writing by another program"), std::string::npos)
          << e.what();
    }
    fs::remove(file);
  }
}

/// A file of somebody else's, with what h5py users make: compressed chunks, a group, integers.
void write_foreign(const fs::path& file) {
  const hid_t out = H5Fcreate(file.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t group = H5Gcreate2(out, "more", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const auto write_table = [&](hid_t where, const char* name, std::vector<hsize_t> shape, hid_t type,
                               hid_t list, const Values& values) {
    const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    const hid_t table = H5Dcreate2(where, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    H5Dwrite(table, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(table);
    H5Sclose(space);
  };
  const hid_t chunked = H5Pcreate(H5P_DATASET_CREATE);
  const std::array<hsize_t, 2> chunk{20, 2};
  H5Pset_chunk(chunked, 2, chunk.data());
  H5Pset_shuffle(chunked);
  H5Pset_deflate(chunked, 4);
  write_table(out, "plain", {100, 5}, H5T_IEEE_F64LE, H5P_DEFAULT, ramp(500));
  write_table(out, "packed", {100, 4}, H5T_IEEE_F32BE, chunked, ramp(400));
  write_table(group, "labels", {100}, H5T_STD_I16LE, H5P_DEFAULT, Values(100, 3));
  H5Pclose(chunked);
  H5Gclose(group);
  H5Fclose(out);
}

double sum_of(const ArrayFile& arrays, const std::string& name) {
  const auto shape = arrays.shape(name);
  const std::uint64_t columns = shape.size() == 1 ? 1 : shape[1],
                      step = 1 + 10'000 / std::max<std::uint64_t>(columns, 1);
  Values values;
  double sum = 0;
  for (std::uint64_t row = 0; row < shape[0]; row += step) {
    const std::uint64_t count = std::min(step, shape[0] - row);
    values.resize(count * columns);
    arrays.read(name, row, count, values);
    sum = std::accumulate(values.begin(), values.end(), sum);
  }
  return sum;
}

// It has no checksums, so what is read may be wrong; but it is read, or refused, soon.
TEST(DamagedForeignFile, IsReadOrRefused) {
  const kernmill::testing::TemporaryDirectory folder;
  const fs::path whole = folder.path() / "whole.h5", file = folder.path() / "damaged.h5";
  write_foreign(whole);
  const auto read_all = [](const fs::path& name) {
    const ArrayFile arrays(name);
    auto names = arrays.tables();
    names.emplace_back("more/labels");
    double sum = 0;
    for (const auto& table : names) sum += sum_of(arrays, table);
    return sum;
  };
  ASSERT_EQ(read_all(whole), 125'000 + 80'000 + 300);
  const Counts counts = damage("of somebody else", bytes_of(whole), file,
                               [&] { return fmt::format("{}", read_all(file)); }, {});
  EXPECT_GT(counts.refused, 300U);
  EXPECT_GT(counts.read, 300U);
}

INSTANTIATE_TEST_SUITE_P(Files, Damaged,
                         ::testing::Values("dataset", "mixed", "sparse", "model", "checkpoint"),
                         [](const auto& kind) { return std::string(kind.param); });

}  // namespace
}  // namespace kernmill::storage

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  ::testing::InitGoogleTest(&argc, argv);
  const int result = RUN_ALL_TESTS();
  MPI_Finalize();
  return result;
}
