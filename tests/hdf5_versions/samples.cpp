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

void write_dataset(const fs::path& file, const std::optional<Key>& key) {
  DatasetWriter writer(MPI_COMM_SELF, file, sample_schema(), sample_rows, {key, sample_provenance});
  for (const Part part : all_parts) {
    const SampleRows rows = sample_content(part);
    writer.write(part, 0, rows.features, rows.target, rows.row_numbers);
    writer.write_levels(part, 0, rows.before, rows.at);
  }
  writer.commit();
}

void write_one_checkpoint(const fs::path& file, const std::optional<Key>& key) {
  const Checkpoint checkpoint = sample_checkpoint();
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

Model sample_model() {
  Model model{"softmax", R"({"epochs":3})", {}, {}};
  model.schema.features = {"length", "width"};
  model.schema.inputs = {{"length", ColumnType::number, {}, 0, 1, 0},
                         {"width", ColumnType::number, {}, 0, 2, 0}};
  model.schema.target = "species";
  model.schema.target_kind = TargetKind::classes;
  model.schema.classes = {"setosa", "versicolor", "virginica"};
  model.parameters = {{"weights", {2, 3}, values(6, -3)}, {"bias", {3}, values(3, 10)}};
  return model;
}

Checkpoint sample_checkpoint() {
  return {7, R"({"epoch":3})", {{"weights", {2, 3}, values(6, -3)}, {"momentum", {2, 3, 2}, values(12, 50)}}};
}

void write_samples(const fs::path& directory, const std::optional<Key>& key) {
  fs::create_directories(directory);
  const std::string ending = key ? "_encrypted.h5" : ".h5";
  write_dataset(directory / ("dataset" + ending), key);
  write_model(MPI_COMM_SELF, directory / ("model" + ending), sample_model(), key);
  write_one_checkpoint(directory / ("checkpoint" + ending), key);
}

}  // namespace kernmill::testing
