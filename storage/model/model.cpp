#include "kernmill/storage/model/model.hpp"

#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/storage/dataset/schema_file.hpp"
#include "kernmill/storage/file/commit.hpp"
#include "kernmill/storage/file/from_root.hpp"
#include "kernmill/storage/model/packed_model.hpp"
#include "kernmill/storage/model/version_1.hpp"
#include "kernmill/storage/sealed/footer.hpp"
#include "kernmill/storage/sealed/format.hpp"
#include "kernmill/storage/sealed/sealed_file.hpp"
#include "kernmill/storage/sealed/sealed_reader.hpp"
#include "kernmill/storage/sealed/sealed_writer.hpp"

namespace kernmill::storage {
namespace fs = std::filesystem;
namespace {

constexpr const char* model_format = "kernmill-model";

void require_sound(const Tensor& tensor) {
  if (tensor.name.empty() || tensor.name.find('/') != std::string::npos || tensor.shape.empty() ||
      hdf5::elements_of(tensor.shape) != tensor.data.size())
    throw std::invalid_argument(
        fmt::format("tensor '{}': bad name, or shape and data disagree", tensor.name));
}

std::string path_of(const std::string& tensor) {
  return "parameters/" + tensor;
}

void write_about(const hdf5::File& file, const Model& model) {
  file.write_text("type", model.type);
  file.write_text("settings", model.settings);
  write_schema(file, model.schema);
  std::vector<ListedTensor> list;
  for (const Tensor& tensor : model.parameters)
    list.push_back({tensor.name, tensor.shape.size(), tensor.data.type});
  write_tensor_list(file, list);
}

Structure structure_of(const Model& model) {
  Structure structure{
      model_format, {}, [](const hdf5::File&) {}, [&](const hdf5::File& file) { write_about(file, model); }};
  for (const Tensor& tensor : model.parameters) {
    require_sound(tensor);
    structure.tables.push_back({path_of(tensor.name), hdf5::type_of(tensor.data.type), tensor.shape});
  }
  return structure;
}

void write_content(const fs::path& temporary, const fs::path& named, const MadeFile& made,
                   const Model& model) {
  SealedWriter writer(open_posix(temporary, named), named, made.tables, made.cipher, false);
  for (std::size_t i = 0; i < model.parameters.size(); ++i)
    writer.write(i, 0, model.parameters[i].data.bytes);
  if (made.cipher) writer.write(model.parameters.size(), 0, std::as_bytes(std::span(made.content)));
  writer.sync();
  writer.exchange(MPI_COMM_SELF);
  writer.seal();
}

enum class Parameters { whole, outlined };

std::vector<Tensor> read_parameters(const fs::path& file, const OpenedFile& opened, Parameters parameters) {
  std::vector<Tensor> tensors;
  for (const auto& [name, dimensions, type] : read_tensor_list(opened.about())) {
    Tensor tensor{name, {}, {type, 0}};
    const SealedTable table = find_sealed_table(opened.file, path_of(name), hdf5::type_of(type), dimensions,
                                                opened.cipher.has_value(), &tensor.shape);
    tensors.push_back(std::move(tensor));
    if (parameters == Parameters::outlined) continue;
    auto& data = tensors.back().data;
    data.bytes.resize(table.bytes);
    SealedReader(file, opened.file.path(), {table}, opened.cipher, Verify::once).read(0, 0, data.bytes);
  }
  return tensors;
}

Model load_model(const fs::path& file, const fs::path& named, const std::optional<Key>& key,
                 Parameters parameters = Parameters::whole) {
  const OpenedFile opened = open_sealed_file(file, named, model_format, key);
  Model model{opened.about().read_text("type"),
              opened.about().read_text("settings"),
              read_schema(opened.about()),
              {}};
  if (version_of(opened.file) > 1) {
    model.parameters = read_parameters(file, opened, parameters);
    return model;
  }
  model.parameters = read_tensors_of_version_1(opened.file, "parameters");
  require_header_checksum(opened.file, model);
  return model;
}

}  // namespace

void write_model(MPI_Comm comm, const fs::path& file, const Model& model, const std::optional<Key>& key) {
  agree_on_root(comm, [&] {
    commit_file(
        file,
        [&](const fs::path& temporary) {
          const MadeFile made = make_sealed_file(temporary, file, structure_of(model), key);
          write_content(temporary, file, made, model);
          append_footer(temporary, file, made.tables);
        },
        [&](const fs::path& temporary) { load_model(temporary, file, key); });
  });
}

Model read_model(MPI_Comm comm, const fs::path& file, const std::optional<Key>& key) {
  return from_root(comm, [&] { return load_model(file, file, key); });
}

Model read_model_outline(const fs::path& file, const std::optional<Key>& key) {
  Model model = load_model(file, file, key, Parameters::outlined);
  for (Tensor& tensor : model.parameters) tensor.data.bytes = {};  // of version 1
  return model;
}

}  // namespace kernmill::storage
