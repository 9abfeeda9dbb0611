#include "kernmill/storage/model.hpp"

#include "kernmill/storage/agreement.hpp"
#include "kernmill/storage/commit.hpp"
#include "kernmill/storage/format.hpp"
#include "kernmill/storage/packed.hpp"

namespace kernmill::storage {
namespace fs = std::filesystem;
namespace {

constexpr const char* model_format = "kernmill-model";

std::string header_of(const Model& model, std::uint64_t version) {
  Packer packer;
  packer.put(model.type);
  packer.put(model.settings);
  packer.put(version == 1 ? packed_version_1(model.schema) : packed(model.schema));
  for (const Tensor& tensor : model.parameters) {
    packer.put(tensor.name);
    packer.put(tensor.shape);
  }
  return packer.take();
}

Model load_model(const hdf5::File& file) {
  require_format(file, model_format);
  Model model;
  model.type = file.read_text("type");
  model.settings = file.read_text("settings");
  model.schema = read_schema(file);
  model.parameters = read_tensors(file, "parameters");
  require_header_checksum(file, header_of(model, version_of(file)));
  return model;
}

void fill(const hdf5::File& file, const Model& model) {
  write_format(file, model_format);
  write_header_checksum(file, header_of(model, format_version));
  file.write_text("type", model.type);
  file.write_text("settings", model.settings);
  write_schema(file, model.schema);
  write_tensors(file, "parameters", model.parameters);
}

}  // namespace

void write_model(MPI_Comm comm, const fs::path& file, const Model& model) {
  agree_on_root(comm, [&] {
    commit_file(
        file, [&](hdf5::File& out) { fill(out, model); }, load_model);
  });
}

Model read_model(MPI_Comm comm, const fs::path& file) {
  Model model;
  std::string schema, parameters;
  agree_on_root(comm, [&] {
    model = load_model(hdf5::File::open(file, file));
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
