#include "kernmill/storage/checkpoint/checkpoint_file.hpp"

#include <fmt/format.h>

#include "kernmill/storage/file/durable.hpp"
#include "kernmill/storage/sealed/footer.hpp"
#include "kernmill/storage/sealed/format.hpp"
#include "kernmill/storage/sealed/sealed_file.hpp"

namespace kernmill::storage {
namespace {

constexpr const char* checkpoint_format = "kernmill-checkpoint";

std::string path_of(const std::string& tensor) {
  return "tensors/" + tensor;
}

void write_about(const hdf5::File& out, const CheckpointHeader& header) {
  out.write_text("state", header.state);
  std::vector<ListedTensor> list;
  for (const TensorShape& tensor : header.tensors)
    list.push_back({tensor.name, tensor.shape.size(), tensor.type});
  write_tensor_list(out, list);
}

Structure structure_of(const CheckpointHeader& header) {
  Structure structure{checkpoint_format,
                      {},
                      [&](const hdf5::File& out) { out.write_attribute("step", header.step); },
                      [&](const hdf5::File& out) { write_about(out, header); }};
  for (const TensorShape& tensor : header.tensors)
    structure.tables.push_back({path_of(tensor.name), hdf5::type_of(tensor.type), tensor.shape});
  return structure;
}

void require_current_version(const hdf5::File& file) {
  if (version_of(file) < 2)
    throw Error(fmt::format("{}: has format version {}; of checkpoints this program reads versions 2 to {}",
                            file.path().string(), version_of(file), format_version));
}

}  // namespace

NewCheckpoint create_checkpoint_file(const std::filesystem::path& temporary,
                                     const std::filesystem::path& named, CheckpointHeader header,
                                     const std::optional<Key>& key) {
  MadeFile made = make_sealed_file(temporary, named, structure_of(header), key);
  reserve_space(temporary, std::filesystem::file_size(temporary));
  append_footer(temporary, named, made.tables);
  header.tables = std::move(made.tables);
  if (made.cipher) header.salt = made.cipher->salt();
  return {std::move(header), std::move(made.content)};
}

void require_sound_structure(const std::filesystem::path& file, const std::filesystem::path& named) {
  if (!has_sound_footer(file, named))
    throw Error(fmt::format("{}: is cut short, or no checkpoint of Kernmill's. {}", named.string(),
                            why_a_footer_is_broken));
}

CheckpointHeader read_checkpoint_header(const std::filesystem::path& file, const std::filesystem::path& named,
                                        const std::optional<Key>& key) {
  require_sound_structure(file, named);
  const OpenedFile in = open_sealed_file(file, named, checkpoint_format, key);
  require_current_version(in.file);
  CheckpointHeader header{in.file.read_number_attribute("step"), in.about().read_text("state"), {}, {}, {}};
  if (in.cipher) header.salt = in.cipher->salt();
  for (const auto& [name, dimensions, type] : read_tensor_list(in.about())) {
    TensorShape tensor{name, {}, type};
    header.tables.push_back(find_sealed_table(in.file, path_of(name), hdf5::type_of(type), dimensions,
                                              in.cipher.has_value(), &tensor.shape));
    header.tensors.push_back(std::move(tensor));
  }
  return header;
}

}  // namespace kernmill::storage
