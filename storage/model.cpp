#include "kernmill/storage/model.hpp"

#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/storage/agreement.hpp"
#include "kernmill/storage/commit.hpp"
#include "kernmill/storage/footer.hpp"
#include "kernmill/storage/format.hpp"
#include "kernmill/storage/packed.hpp"
#include "kernmill/storage/schema_file.hpp"
#include "kernmill/storage/sealed_file.hpp"
#include "kernmill/storage/sealed_reader.hpp"
#include "kernmill/storage/sealed_writer.hpp"

namespace kernmill::storage {
namespace fs = std::filesystem;
namespace {

constexpr const char* model_format = "kernmill-model";

std::string header_of_version_1(const Model& model) {
  Packer packer;
  packer.put(model.type);
  packer.put(model.settings);
  packer.put(packed_version_1(model.schema));
  for (const Tensor& tensor : model.parameters) {
    packer.put(tensor.name);
    packer.put(tensor.shape);
  }
  return packer.take();
}

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
  std::vector<std::string> names;
  std::vector<std::uint64_t> dimensions;
  for (const Tensor& tensor : model.parameters) {
    names.push_back(tensor.name);
    dimensions.push_back(tensor.shape.size());
  }
  file.write_text("type", model.type);
  file.write_text("settings", model.settings);
  write_schema(file, model.schema);
  file.write_texts("names", names);
  file.write_all<std::uint64_t>("dimensions", hdf5::Type::u64, dimensions);
}

Structure structure_of(const Model& model) {
  Structure structure{
      model_format, {}, [](const hdf5::File&) {}, [&](const hdf5::File& file) { write_about(file, model); }};
  for (const Tensor& tensor : model.parameters) {
    require_sound(tensor);
    structure.tables.push_back({path_of(tensor.name), hdf5::Type::f64, tensor.shape});
  }
  return structure;
}

void write_content(const fs::path& temporary, const fs::path& named, const MadeFile& made,
                   const Model& model) {
  SealedWriter writer(temporary, named, made.tables, made.cipher, false);
  for (std::size_t i = 0; i < model.parameters.size(); ++i)
    writer.write(i, 0, std::as_bytes(std::span(model.parameters[i].data)));
  if (made.cipher) writer.write(model.parameters.size(), 0, std::as_bytes(std::span(made.content)));
  writer.sync();
  writer.exchange(MPI_COMM_SELF);
  writer.seal();
}

std::vector<Tensor> read_parameters(const fs::path& file, const OpenedFile& opened) {
  const auto names = opened.about().read_texts("names");
  const auto dimensions = opened.about().read_all<std::uint64_t>("dimensions", hdf5::Type::u64);
  if (names.size() != dimensions.size())
    throw Error(fmt::format("{}: the list of tensors is damaged", file.string()));
  std::vector<Tensor> tensors;
  for (std::size_t i = 0; i < names.size(); ++i) {
    Tensor tensor{names[i], {}, {}};
    const SealedTable table = find_sealed_table(opened.file, path_of(names[i]), hdf5::Type::f64,
                                                dimensions[i], opened.cipher.has_value(), &tensor.shape);
    tensor.data.resize(table.bytes / sizeof(double));
    SealedReader(file, opened.file.path(), {table}, opened.cipher, Verify::once)
        .read(0, 0, std::as_writable_bytes(std::span(tensor.data)));
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

Model load_model(const fs::path& file, const fs::path& named, const std::optional<Key>& key) {
  const OpenedFile opened = open_sealed_file(file, named, model_format, key);
  Model model{opened.about().read_text("type"),
              opened.about().read_text("settings"),
              read_schema(opened.about()),
              {}};
  if (version_of(opened.file) > 1) {
    model.parameters = read_parameters(file, opened);
    return model;
  }
  model.parameters = read_tensors_of_version_1(opened.file, "parameters");
  require_header_checksum(opened.file, header_of_version_1(model));
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
  Model model;
  std::string schema, parameters;
  agree_on_root(comm, [&] {
    model = load_model(file, file, key);
    schema = packed(model.schema);
    parameters = packed(model.parameters);
  });
  broadcast(comm, model.type);
  broadcast(comm, model.settings);
  broadcast(comm, schema);
  broadcast(comm, parameters);
  model.schema = unpacked_schema(schema);
  model.parameters = unpacked_tensors(parameters);
  return model;
}

}  // namespace kernmill::storage
