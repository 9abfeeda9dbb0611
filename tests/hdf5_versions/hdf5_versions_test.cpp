// Files that several versions of HDF5 wrote, read with the one that this program links:
//
//   test_hdf5_versions [GOOGLETEST OPTION...]   those that are committed
//   test_hdf5_versions read DIRECTORY           those of one version
//   test_hdf5_versions write DIRECTORY          writes them, below a folder of the version's name, which it
//   prints
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "kernmill/storage/hdf5/library.hpp"
#include "kernmill/storage/tool/guard.hpp"
#include "kernmill/storage/tool/tool.hpp"
#include "samples.hpp"
#include "temporary_directory.hpp"

namespace kernmill::storage {
namespace {

namespace fs = std::filesystem;
using kernmill::testing::SampleRows;
using kernmill::testing::TypedSample;
using kernmill::testing::Version;
using ::testing::AllOf;
using ::testing::HasSubstr;
using Bytes = std::string;

std::vector<fs::path> folders;  // each with what one version wrote

std::vector<fs::path> folders_of_versions() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(KERNMILL_TEST_FILES))
    if (entry.is_directory()) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

/// -0.0 is not 0.0 here.
Bytes bytes_of(const std::vector<double>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(double)};
}

void expect_equal(const Schema& read, const Schema& written) {
  EXPECT_EQ(read.inputs, written.inputs);
  EXPECT_EQ(read.steps, written.steps);
  EXPECT_EQ(read.features, written.features);
  EXPECT_EQ(read.target, written.target);
  EXPECT_EQ(read.target_kind, written.target_kind);
  EXPECT_EQ(read.classes, written.classes);
  EXPECT_EQ(read.target_names, written.target_names);
  EXPECT_EQ(read.series.transform, written.series.transform);
  EXPECT_EQ(read.series.window, written.series.window);
  EXPECT_EQ(read.series.horizon, written.series.horizon);
  EXPECT_EQ(read.series.columns, written.series.columns);
  EXPECT_EQ(read.series.lags, written.series.lags);
  EXPECT_EQ(read.source, written.source);
  EXPECT_EQ(read.split, written.split);
}

void expect_equal(const std::vector<Tensor>& read, const std::vector<Tensor>& written) {
  ASSERT_EQ(read.size(), written.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].name, written[i].name);
    EXPECT_EQ(read[i].shape, written[i].shape);
    EXPECT_TRUE(read[i].data == written[i].data) << read[i].name;
  }
}

SampleRows rows_of(const DatasetReader& data, Part part) {
  const std::uint64_t count = data.rows(part);
  const IndexRange all{0, count};
  SampleRows rows;
  rows.features.resize(count * data.feature_count());
  for (auto* column : {&rows.target, &rows.before, &rows.at}) column->resize(count * data.target_count());
  rows.row_numbers.resize(count);
  data.read(part, all, rows.features, rows.target);
  data.read_row_numbers(part, all, rows.row_numbers);
  data.read_levels(part, all, rows.before, rows.at);
  return rows;
}

std::string whole(const std::string& file) {
  if (file.starts_with("dataset")) return "dataset, 25 rows";
  if (file.starts_with("model")) return "softmax model";
  return "checkpoint of step 7";
}

struct Case {
  fs::path folder;
  bool encrypted;
};
void PrintTo(const Case& tested, std::ostream* out) {
  *out << tested.folder.filename().string() << (tested.encrypted ? ", encrypted" : "");
}

class Hdf5Version : public ::testing::TestWithParam<Case> {
 protected:
  [[nodiscard]] static std::optional<Key> key() {
    return GetParam().encrypted ? std::optional(kernmill::testing::sample_key()) : std::nullopt;
  }
  [[nodiscard]] static Version version() {
    return GetParam().folder.filename().string().starts_with("format-2-") ? Version::two : Version::three;
  }
  [[nodiscard]] static std::vector<std::string> all_kinds() {
    std::vector<std::string> kinds{"dataset", "model", "checkpoint"};
    if (version() == Version::two) return kinds;
    for (const TypedSample& sample : kernmill::testing::typed_samples()) kinds.push_back(sample.name);
    return kinds;
  }
  [[nodiscard]] static fs::path file(const std::string& kind) {
    return GetParam().folder / (kind + (GetParam().encrypted ? "_encrypted.h5" : ".h5"));
  }
};

TEST_P(Hdf5Version, ADatasetIsReadAsItWasWritten) {
  const DatasetReader data(MPI_COMM_SELF, file("dataset"), {key()});
  expect_equal(data.schema(), kernmill::testing::sample_schema());
  EXPECT_EQ(data.provenance(), kernmill::testing::sample_provenance);
  for (const Part part : all_parts) {
    const SampleRows read = rows_of(data, part), written = kernmill::testing::sample_content(part);
    EXPECT_EQ(bytes_of(read.features), bytes_of(written.features)) << to_string(part);
    EXPECT_EQ(bytes_of(read.target), bytes_of(written.target)) << to_string(part);
    EXPECT_EQ(bytes_of(read.before), bytes_of(written.before)) << to_string(part);
    EXPECT_EQ(bytes_of(read.at), bytes_of(written.at)) << to_string(part);
    EXPECT_EQ(read.row_numbers, written.row_numbers) << to_string(part);
  }
}

TEST_P(Hdf5Version, TheContentHashIsThatOfHdf5_1_10_8) {
  EXPECT_EQ(DatasetReader(MPI_COMM_SELF, file("dataset"), {key()}).content_hash(),
            version() == Version::two ? kernmill::testing::sample_content_hash_of_version_2
                                      : kernmill::testing::sample_content_hash);
}

TEST_P(Hdf5Version, DatasetsOfOtherTypesAreReadAsTheyWereWritten) {
  if (version() == Version::two) {  // which had none
    EXPECT_EQ(DatasetReader(MPI_COMM_SELF, file("dataset"), {key()}).encoding(), Encoding{});
    return;
  }
  for (const TypedSample& sample : kernmill::testing::typed_samples()) {
    SCOPED_TRACE(sample.name);
    const DatasetReader data(MPI_COMM_SELF, file(sample.name), {key()});
    EXPECT_EQ(data.content_hash(), sample.content_hash);
    EXPECT_EQ(data.encoding().features, sample.encoding.features);
    EXPECT_EQ(data.schema().features, kernmill::testing::typed_schema().features);
    EXPECT_EQ(data.schema().classes, kernmill::testing::typed_schema().classes);
    for (const Part part : all_parts) {
      const SampleRows written = kernmill::testing::typed_content(sample, part);
      std::vector<double> features(written.features.size()), target(written.target.size());
      data.read(part, {0, data.rows(part)}, features, target);
      EXPECT_EQ(bytes_of(features), bytes_of(written.features)) << to_string(part);
      EXPECT_EQ(target, written.target) << to_string(part);
    }
  }
}

TEST_P(Hdf5Version, AModelIsReadAsItWasWritten) {
  const Model read = read_model(MPI_COMM_SELF, file("model"), key());
  const Model written = kernmill::testing::sample_model(version());
  EXPECT_EQ(read.type, written.type);
  EXPECT_EQ(read.settings, written.settings);
  expect_equal(read.schema, written.schema);
  expect_equal(read.parameters, written.parameters);
}

TEST_P(Hdf5Version, ACheckpointIsReadAsItWasWritten) {
  const CheckpointReader read(MPI_COMM_SELF, file("checkpoint"), key());
  const Checkpoint written = kernmill::testing::sample_checkpoint(version());
  std::vector<Tensor> tensors;
  for (const TensorShape& tensor : read.tensors()) tensors.push_back(read.read_whole(tensor.name));
  EXPECT_EQ(read.step(), written.step);
  EXPECT_EQ(read.state(), written.state);
  expect_equal(tensors, written.tensors);
}

TEST_P(Hdf5Version, VerifySaysThatFilesAreWhole) {
  for (const std::string& kind : all_kinds()) EXPECT_EQ(tool::verify_file(file(kind), {key()}), whole(kind));
}

/// What verify says of a file, in a child since HDF5 can crash on a damaged one.
std::string verified(const fs::path& file, const std::optional<Key>& key) {
  const tool::ChildEnd end = tool::in_child(
      [&](std::string& said) {
        try {
          said = tool::verify_file(file, {key});
        } catch (const Error& error) {
          said = error.what();
        }
        return 0;
      },
      std::chrono::seconds(60));
  EXPECT_FALSE(end.timed_out);
  return end.said;
}

// The checksums of an encrypted file are the only bytes that nobody reads who has the key.
TEST_P(Hdf5Version, VerifyFindsAFlippedBit) {
  const kernmill::testing::TemporaryDirectory directory;
  const fs::path damaged = directory.path() / "damaged.h5";
  for (const std::string& kind : all_kinds()) {
    std::ifstream in(file(kind), std::ios::binary);
    Bytes bytes{std::istreambuf_iterator<char>(in), {}};
    int flipped = 0, found = 0;
    for (std::size_t at = 0; at < bytes.size(); at += 1 + bytes.size() / 40, ++flipped) {
      const char before = bytes[at];
      bytes[at] = static_cast<char>(before ^ (1 << at % 8));
      std::ofstream(damaged, std::ios::binary | std::ios::trunc) << bytes;
      bytes[at] = before;
      if (verified(damaged, key()) != whole(kind)) ++found;
    }
    if (GetParam().encrypted)
      EXPECT_GE(found, flipped * 9 / 10) << kind;
    else
      EXPECT_EQ(found, flipped) << kind;
  }
}

TEST(Hdf5Versions, FilesOfThreeSeriesAreCommitted) {
  std::string names;
  for (const fs::path& folder : folders_of_versions()) names += folder.filename().string() + ' ';
  EXPECT_THAT(names, AllOf(HasSubstr("hdf5-1.10."), HasSubstr("hdf5-1.14."), HasSubstr("hdf5-2.")));
}

TEST(Hdf5Versions, ThisOneWritesTheSameContentHash) {
  const kernmill::testing::TemporaryDirectory directory;
  kernmill::testing::write_samples(directory.path(), {});
  EXPECT_EQ(DatasetReader(MPI_COMM_SELF, directory.path() / "dataset.h5").content_hash(),
            kernmill::testing::sample_content_hash);
  for (const TypedSample& sample : kernmill::testing::typed_samples())
    EXPECT_EQ(DatasetReader(MPI_COMM_SELF, directory.path() / (sample.name + ".h5")).content_hash(),
              sample.content_hash)
        << sample.name;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const fs::path& folder : folders)
    for (const bool encrypted : {false, true}) all.push_back({folder, encrypted});
  return all;
}

std::string name_of(const ::testing::TestParamInfo<Case>& tested) {
  std::string name = tested.param.folder.filename().string() + (tested.param.encrypted ? "_encrypted" : "");
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Files, Hdf5Version, ::testing::ValuesIn(cases()), name_of);

void write(const fs::path& directory) {
  const std::string version = library_version();  // "HDF5 1.10.8, parallel"
  const std::string name = "hdf5-" + version.substr(5, version.find(',') - 5);
  kernmill::testing::write_samples(directory / name, {});
  kernmill::testing::write_samples(directory / name, kernmill::testing::sample_key());
  fmt::print("{}\n", name);
}

}  // namespace
}  // namespace kernmill::storage

int main(int argc, char** argv) {
  using namespace kernmill::storage;
  MPI_Init(&argc, &argv);
  const std::string verb = argc == 3 ? argv[1] : "";
  folders = verb == "read" ? std::vector<fs::path>{argv[2]} : folders_of_versions();
  int result = 0;
  if (verb == "write") {
    write(argv[2]);
  } else {
    ::testing::InitGoogleTest(&argc, argv);
    if (verb == "read") GTEST_FLAG_SET(filter, "Files/*");
    result = RUN_ALL_TESTS();
  }
  MPI_Finalize();
  return result;
}
