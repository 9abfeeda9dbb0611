#include "samples.hpp"

#include <cmath>
#include <limits>
#include <numeric>

namespace kernmill::testing {
namespace {

using namespace kernmill::storage;
namespace fs = std::filesystem;

std::vector<double> values(std::uint64_t count, double first) {
  std::vector<double> made(count);
  for (std::uint64_t i = 0; i < count; ++i) made[i] = (first + static_cast<double>(i)) / 7;
  return made;
}

std::vector<float> floats() {
  return {0.1F, -0.0F, 1e-42F, 3e38F};
}

void write_dataset(const fs::path& file, const std::optional<Key>& key) {
  DatasetWriter writer(MPI_COMM_SELF, file, sample_schema(), sample_rows, {key, sample_provenance});
  for (const Part part : all_parts) {
    const SampleRows rows = sample_content(part);
    writer.write(part, 0, rows.features, rows.target, rows.row_numbers);
    writer.write_levels(part, 0, rows.before, rows.at);
  }
  writer.commit();
}

SparseRows sparse_of(const std::vector<double>& dense, std::uint64_t width) {
  SparseRows rows;
  for (std::uint64_t i = 0; i < dense.size(); ++i) {
    if (dense[i] != 0) {
      rows.columns.push_back(static_cast<std::uint32_t>(i % width));
      rows.values.push_back(dense[i]);
    }
    if (i % width + 1 == width) rows.begins.push_back(rows.values.size());
  }
  return rows;
}

void write_typed(const fs::path& file, const TypedSample& sample, const std::optional<Key>& key) {
  const Schema schema = typed_schema();
  const std::uint64_t width = schema.features.size();
  WriteOptions options{key, sample_provenance, sample.encoding};
  if (sample.encoding.sparse)
    for (const Part part : all_parts)
      options.entries[static_cast<std::size_t>(part)] =
          sparse_of(typed_content(sample, part).features, width).values.size();
  DatasetWriter writer(MPI_COMM_SELF, file, schema, sample_rows, options);
  for (const Part part : all_parts) {
    const SampleRows rows = typed_content(sample, part);
    if (sample.encoding.sparse)
      writer.write_sparse(part, 0, 0, sparse_of(rows.features, width), rows.target, rows.row_numbers);
    else
      writer.write(part, 0, rows.features, rows.target, rows.row_numbers);
  }
  writer.commit();
}

void write_one_checkpoint(const fs::path& file, const std::optional<Key>& key) {
  const Checkpoint checkpoint = sample_checkpoint(Version::three);
  const fs::path folder = file.parent_path() / "checkpoint";
  fs::create_directory(folder);
  write_checkpoint(MPI_COMM_SELF, folder, checkpoint, {}, key);
  fs::rename(folder / ("step-" + std::to_string(checkpoint.step) + ".h5"), file);
  fs::remove(folder);
}

}  // namespace

Key sample_key() {
  std::array<std::byte, Key::size> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i);
  return Key(bytes);
}

Schema sample_schema() {
  Schema schema;
  schema.inputs = {{"price in Zürich", ColumnType::number, {}, -2.5, 1e300, 3},
                   {"weekday", ColumnType::category, {"fri", "mon"}, 0, 0, 0}};
  schema.steps = {{"one_hot", {"weekday"}, {1}, {"fri", "mon"}},
                  {"scale", {"price in Zürich"}, {0.1, 3}, {}}};
  schema.features = {"price in Zürich", "weekday=fri", "weekday=mon"};
  schema.target = "price in Zürich";
  schema.target_kind = TargetKind::numbers;
  schema.target_names = {"price in Zürich"};
  schema.series = {"log_return", 2, 1, {"price in Zürich"}, {0, 1}};
  schema.source = "prices.csv";
  schema.split = R"({"kind":"chronological"})";
  return schema;
}

SampleRows sample_content(Part part) {
  const std::uint64_t rows = sample_rows[static_cast<std::size_t>(part)];
  SampleRows made{values(3 * rows, 1), values(rows, 100), values(rows, 200), values(rows, 300), {}};
  if (rows > 3) {
    made.features[0] = -0.0;
    made.features[1] = std::numeric_limits<double>::denorm_min();
    made.features[2] = std::numeric_limits<double>::max();
  }
  made.row_numbers.resize(rows);
  std::iota(made.row_numbers.begin(), made.row_numbers.end(), std::uint64_t{1} << 60U);
  return made;
}

Model sample_model(Version version) {
  Model model{"softmax", R"({"epochs":3})", {}, {}};
  model.schema.features = {"length", "width"};
  model.schema.inputs = {{"length", ColumnType::number, {}, 0, 1, 0},
                         {"width", ColumnType::number, {}, 0, 2, 0}};
  model.schema.target = "species";
  model.schema.target_kind = TargetKind::classes;
  model.schema.classes = {"setosa", "versicolor", "virginica"};
  model.parameters = {{"weights", {2, 3}, values(6, -3)}, {"bias", {3}, values(3, 10)}};
  if (version == Version::three) model.parameters.push_back({"floats", {4}, floats()});
  return model;
}

Checkpoint sample_checkpoint(Version version) {
  Checkpoint checkpoint{
      7, R"({"epoch":3})", {{"weights", {2, 3}, values(6, -3)}, {"momentum", {2, 3, 2}, values(12, 50)}}};
  if (version == Version::three) checkpoint.tensors.push_back({"floats", {4}, floats()});
  return checkpoint;
}

Schema typed_schema() {
  Schema schema;
  schema.features = {"red", "green", "blue", "alpha"};
  schema.inputs = numbers_named(schema.features);
  schema.target = "kind";
  schema.target_kind = TargetKind::classes;
  schema.classes = {"a", "b", "c"};
  schema.source = "colours.csv";
  return schema;
}

std::vector<TypedSample> typed_samples() {
  Encoding mixed, half, brain, sparse;
  mixed.features = Element::f32;
  mixed.bytes = {0, 2};
  mixed.center = {127.5, 0, 0.25, 1};
  mixed.scale = {255, 1, 3, 4};
  half.features = Element::f16;
  brain.features = Element::bf16;
  sparse.features = Element::f32;
  sparse.sparse = true;
  return {{"dataset_mixed", mixed, "bbda8e0f60e3de7e8c986d18bcec90fa791349d39e489e8fe877545c2fb70296"},
          {"dataset_float16", half, "98eb62de9784aa957d6e3832e18675ce074f2ed6cf1929acdc6474dac0b5e4a0"},
          {"dataset_bfloat16", brain, "5334b7edc7ccac91a98beead911c91ddb0c786fe90a71bfdf14ce3194d8f504c"},
          {"dataset_sparse", sparse, "47ccf7b38c4bfb8a7ce911074d22ed3699f8cda642839bbe04042a6cb053ebea"}};
}

SampleRows typed_content(const TypedSample& sample, Part part) {
  const std::uint64_t rows = sample_rows[static_cast<std::size_t>(part)], width = 4;
  const Encoding& encoding = sample.encoding;
  SampleRows made;
  for (std::uint64_t row = 0; row < rows; ++row) {
    for (std::uint64_t column = 0; column < width; ++column) {
      auto number = static_cast<double>((31 * row + 7 * column) % 128);
      if (!encoding.center.empty()) number = (number - encoding.center[column]) / encoding.scale[column];
      if (encoding.sparse && (row + column) % 3 != 0) number = 0;
      made.features.push_back(number);
    }
    made.target.push_back(static_cast<double>(row % 3));
    made.row_numbers.push_back(row);
  }
  return made;
}

void write_samples(const fs::path& directory, const std::optional<Key>& key) {
  fs::create_directories(directory);
  const std::string ending = key ? "_encrypted.h5" : ".h5";
  write_dataset(directory / ("dataset" + ending), key);
  for (const TypedSample& sample : typed_samples())
    write_typed(directory / (sample.name + ending), sample, key);
  write_model(MPI_COMM_SELF, directory / ("model" + ending), sample_model(Version::three), key);
  write_one_checkpoint(directory / ("checkpoint" + ending), key);
}

}  // namespace kernmill::testing
