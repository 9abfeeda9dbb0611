#include "hostile_files.hpp"

#include <cstdint>
#include <fstream>
#include <limits>
#include <numeric>
#include <span>

#include <sys/stat.h>

#include "hdf5_tricks.hpp"
#include "kernmill/storage/checkpoint/checkpoint.hpp"
#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/storage/file/crc32c.hpp"
#include "kernmill/storage/model/model.hpp"

namespace kernmill::testing {
namespace fs = std::filesystem;
using storage::Schema;
namespace {

/// 24 bytes times this are 8 bytes, where 64 bits count.
constexpr hsize_t wraps_at_24 = 768'614'336'404'564'651;

Schema flowers() {
  Schema schema;
  schema.features = {"length", "width"};
  schema.inputs = storage::numbers_named(schema.features);
  schema.target = "species";
  schema.target_kind = storage::TargetKind::classes;
  schema.classes = {"setosa", "virginica"};
  return schema;
}

std::string softmax_settings() {
  return R"({"model":{"type":"softmax","l2":1.0,"regularize_bias":false}})";
}

std::vector<storage::Tensor> tensors() {
  return {{"layer_0_weights", {2, 2}, {1, 2, 3, 4}}, {"layer_0_bias", {2}, {5, 6}}};
}

void write(const fs::path& file, const Schema& schema, const std::string& settings,
           const std::string& type = "softmax", const std::vector<storage::Tensor>& parameters = tensors()) {
  storage::write_model(MPI_COMM_SELF, file, {type, settings, schema, parameters});
}

void write_labelled(const fs::path& file, const Schema& schema, const std::vector<double>& labels,
                    storage::Element type = storage::Element::f64) {
  const std::uint64_t rows = labels.size(), columns = schema.features.size();
  const std::uint64_t targets =
      schema.target_kind == storage::TargetKind::classes ? 1 : schema.target_names.size();
  storage::WriteOptions options;
  options.encoding.target = type;
  storage::DatasetWriter writer(MPI_COMM_SELF, file, schema, {rows, 0, rows}, options);
  std::vector<double> features(rows * columns);
  std::iota(features.begin(), features.end(), 0.5);
  std::vector<std::uint64_t> numbers(rows);
  std::iota(numbers.begin(), numbers.end(), 0);
  const auto target = std::span(labels).first(targets == 0 ? 0 : rows);
  for (const storage::Part part : {storage::Part::train, storage::Part::test})
    writer.write(part, 0, features, target, numbers);
  writer.commit();
}

/// The footer of a file, as README.md of storage/ describes it, with another inside that it gives a right
/// checksum.
void put_footer(const fs::path& file, const std::vector<std::uint64_t>& inside,
                std::uint64_t claimed_length) {
  fs::permissions(file, fs::perms::owner_write, fs::perm_options::add);
  std::string bytes(reinterpret_cast<const char*>(inside.data()), inside.size() * sizeof(std::uint64_t));
  const std::uint32_t checksum = storage::crc32c(std::span<const char>(bytes));
  bytes.append(reinterpret_cast<const char*>(&claimed_length), sizeof claimed_length);
  bytes.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
  std::ofstream(file, std::ios::binary | std::ios::app) << bytes << "KMCHECK2";
}

/// What both formats have: texts and structure.
std::vector<HostileFile> hostile_structures(const fs::path& sound, const fs::path& directory,
                                            const std::string& kind, const char* table,
                                            const fs::path& secret) {
  std::vector<HostileFile> files;
  const auto add = [&](const std::string& name, const std::string& told, const auto& change) {
    files.push_back({directory / (kind + "_" + name + ".h5"), told});
    forge(sound, files.back().file, change);
  };
  const fs::path pipe = directory / (kind + ".pipe");
  mkfifo(pipe.c_str(), 0600);
  add("texts_that_wrap", "schema/features",
      [](hid_t f) { put_chunked(f, "schema/features", text_type(24), {wraps_at_24}, {64}); });
  add("a_text_of_4_gb", "schema/source", [](hid_t f) {
    put_contiguous(f, "schema/source", text_type(std::numeric_limits<std::uint32_t>::max()), {});
  });
  add("compressed_texts", "schema/features", [](hid_t f) {
    put_chunked(f, "schema/features", text_type(1 << 20), {4096}, {1}, H5Z_FILTER_DEFLATE);
  });
  add("numbers_that_wrap", table, [&](hid_t f) {
    put_chunked(f, table, H5T_IEEE_F64LE, {(hsize_t{1} << 61) + 1, 2}, {64, 2});
  });
  add("external_text", "schema/source",
      [&](hid_t f) { put_external(f, "schema/source", text_type(16), {}, secret); });
  add("external_table", table, [&](hid_t f) { put_external(f, table, H5T_IEEE_F64LE, {2, 2}, secret); });
  add("virtual_table", table, [&](hid_t f) { put_virtual(f, table, H5T_IEEE_F64LE, {2, 2}, secret); });
  add("external_link", "schema", [&](hid_t f) { put_external_link(f, "schema", sound, "schema"); });
  add("link_to_a_pipe", "schema", [&](hid_t f) { put_external_link(f, "schema", pipe, "schema"); });
  add("soft_link_that_leaves", "schema/features", [&](hid_t f) {
    put_external_link(f, "elsewhere", sound, "/");
    put_soft_link(f, "schema/features", "/elsewhere/schema/features");
  });
  add("link_of_a_user", "schema", [](hid_t f) { put_user_link(f, "schema"); });
  with_foreign_filter([&] {
    add("filter_of_a_plugin", "schema/features",
        [](hid_t f) { put_chunked(f, "schema/features", text_type(8), {2}, {2}, foreign_filter); });
  });
  add("long_text_attribute", "format", [](hid_t f) { put_long_attribute(f, "format", text_type(15), 3000); });
  add("long_number_attribute", "format_version",
      [](hid_t f) { put_long_attribute(f, "format_version", H5T_STD_U64LE, 3000); });
  add("vast_window", "schema", [](hid_t f) {
    put_text(f, "schema/series_transform", "log_return");
    put_texts(f, "schema/series_columns", 2, "x");
    const hid_t made = H5Dopen2(f, "schema/series_window_horizon", H5P_DEFAULT);
    const std::uint64_t vast[2] = {std::numeric_limits<std::uint32_t>::max(), 1};
    H5Dwrite(made, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, vast);
    H5Dclose(made);
  });
  add("many_names", "", [](hid_t f) { put_texts(f, "schema/classes", 200'000, "x"); });
  return files;
}

}  // namespace

void write_sound_model(const fs::path& file) {
  write(file, flowers(), softmax_settings());
}

void write_sound_dataset(const fs::path& file) {
  write_labelled(file, flowers(), {0, 1, 0, 1, 1, 0, 1, 1});
}

std::vector<HostileFile> hostile_models(const fs::path& directory, const fs::path& secret) {
  const fs::path sound = directory / "sound_model.h5";
  write_sound_model(sound);
  auto files = hostile_structures(sound, directory, "model", "parameters/layer_0_weights", secret);
  const auto add = [&](const std::string& name, const std::string& told) {
    return files.emplace_back(HostileFile{directory / ("model_" + name + ".h5"), told}).file;
  };
  const auto mlp = [](const std::string& hidden) {
    return R"({"model":{"type":"mlp","hidden":)" + hidden + R"(,"activation":"relu","l2":0.0}})";
  };
  write(add("vast_layers", ""), flowers(), mlp("[4294967296,4294967296,4294967296]"), "mlp");
  write(add("wide_layer", ""), flowers(), mlp("[3000000000]"), "mlp");
  write(add("deep_settings", ""), flowers(), std::string(2'000'000, '['));
  write(add("few_numbers", ""), flowers(), softmax_settings(), "softmax",
        {{"layer_0_weights", {1}, {1}}, {"layer_0_bias", {1}, {1}}});
  Schema series = flowers();
  series.target_kind = storage::TargetKind::numbers;
  series.target_names = {"a", "b"};
  series.features = {"a[-1]", "b[-1]", "a[0]", "b[0]"};
  series.series = {"none", 2, 1, {"a", "b"}, {}};
  series.inputs = storage::numbers_named({"length"});
  const char* const linear = R"({"model":{"type":"linear_regression","l2":0.0,"regularize_bias":false}})";
  write(add("series_of_more_columns", ""), series, linear, "linear_regression",
        {{"layer_0_weights", {4, 2}, std::vector<double>(8, 1.0)}, {"layer_0_bias", {2}, {0, 0}}});
  Schema indexed = flowers();
  indexed.features = {"f1", "f18446744073709551614"};
  indexed.inputs = storage::numbers_named(indexed.features);
  write(add("vast_index", ""), indexed, softmax_settings());
  const auto add_footer = [&](const std::string& name, const std::vector<std::uint64_t>& inside,
                              std::uint64_t length) {
    const fs::path file = add(name, "footer");
    write_sound_model(file);
    put_footer(file, inside, length);
  };
  add_footer("footer_of_no_end", {1, 2, 3}, std::numeric_limits<std::uint64_t>::max());
  add_footer("footer_of_many_tables", {4096, std::uint64_t{1} << 60, 0}, 24);
  Schema none = flowers();
  none.features.clear();
  none.inputs.clear();
  write(add("no_features", ""), none, softmax_settings());
  forge(sound, add("vast_dimensions", "parameters/layer_0_weights"), [](hid_t f) {
    const hid_t made = H5Dopen2(f, "dimensions", H5P_DEFAULT);
    const std::uint64_t vast[2] = {std::uint64_t{1} << 60, 1};
    H5Dwrite(made, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, vast);
    H5Dclose(made);
  });
  return files;
}

std::vector<HostileFile> hostile_datasets(const fs::path& directory, const fs::path& secret) {
  const fs::path sound = directory / "sound_dataset.h5";
  write_sound_dataset(sound);
  auto files = hostile_structures(sound, directory, "dataset", "train/features", secret);
  const auto add = [&](const std::string& name, const std::string& told) {
    return files.emplace_back(HostileFile{directory / ("dataset_" + name + ".h5"), told}).file;
  };
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  write_labelled(add("label_of_no_class", ""), flowers(), {0, 1, 1e6, 1, 0, 0, 0, 0});
  write_labelled(add("negative_label", ""), flowers(), {0, 1, -1e6, 1, 0, 0, 0, 0});
  write_labelled(add("label_that_is_none", ""), flowers(), {0, 1, nan, 1, 0, 0, 0, 0}, storage::Element::f32);
  Schema none = flowers();
  none.features.clear();
  none.inputs.clear();
  write_labelled(add("no_features", ""), none, {0, 1, 0, 1});
  Schema numbers = flowers();
  numbers.target_kind = storage::TargetKind::numbers;
  numbers.classes.clear();
  write_labelled(add("no_targets", ""), numbers, {0, 1, 0, 1});
  forge(sound, add("odd_provenance", ""), [](hid_t f) { put_text(f, "provenance", R"({"program": [[]]})"); });
  forge(sound, add("deep_provenance", ""),
        [](hid_t f) { put_text(f, "provenance", std::string(2'000'000, '[')); });
  return files;
}

std::vector<HostileFile> hostile_sealed_models(const fs::path& directory, const fs::path& secret) {
  const fs::path sound = directory / "sound_sealed.h5";
  const std::string key(storage::Key::size, 'k');
  storage::write_model(MPI_COMM_SELF, sound, {"softmax", softmax_settings(), flowers(), tensors()},
                       storage::Key(std::as_bytes(std::span(key)).first<storage::Key::size>()));
  std::vector<HostileFile> files{{sound, ""}};
  const auto add = [&](const std::string& name, const std::string& told, const auto& change) {
    files.push_back({directory / ("sealed_" + name + ".h5"), told});
    forge(sound, files.back().file, change);
  };
  add("short_salt", "encryption_salt",
      [](hid_t f) { put_long_attribute(f, "encryption_salt", text_type(3), 1); });
  add("many_salts", "encryption_salt",
      [](hid_t f) { put_long_attribute(f, "encryption_salt", text_type(64), 900); });
  add("vast_content", "sealed/content",
      [](hid_t f) { put_chunked(f, "sealed/content", H5T_STD_U8LE, {hsize_t{1} << 40}, {64}); });
  add("external_tags", "tags/sealed/content", [&](hid_t f) {
    put_external(f, "tags/sealed/content", H5T_STD_U8LE, {1, 16}, secret);
  });
  add("content_of_a_link", "sealed",
      [&](hid_t f) { put_external_link(f, "sealed", directory / "sound_model.h5", "parameters"); });
  return files;
}

std::vector<HostileFile> hostile_checkpoints(const fs::path& directory) {
  storage::write_checkpoint(MPI_COMM_SELF, directory, {7, R"({"identity":"x"})", tensors()});
  const fs::path sound = directory / "step-7.h5";
  std::vector<HostileFile> files;
  const auto add = [&](const std::string& name, const std::string& told, const auto& change) {
    files.push_back({directory / ("checkpoint_" + name + ".h5"), told});
    forge(sound, files.back().file, change);
  };
  add("numbers_that_wrap", "tensors/layer_0_weights", [](hid_t f) {
    put_chunked(f, "tensors/layer_0_weights", H5T_IEEE_F64LE, {(hsize_t{1} << 61) + 1, 2}, {2, 2});
  });
  add("external_table", "tensors/layer_0_bias",
      [&](hid_t f) { put_external(f, "tensors/layer_0_bias", H5T_IEEE_F64LE, {2}, sound); });
  add("deep_state", "", [](hid_t f) { put_text(f, "state", std::string(2'000'000, '[')); });
  add("long_step", "step", [](hid_t f) { put_long_attribute(f, "step", H5T_STD_U64LE, 3000); });
  return files;
}

}  // namespace kernmill::testing
