#include "kernmill/storage/model.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "kernmill/storage/agreement.hpp"
#include "kernmill/storage/commit.hpp"
#include "kernmill/storage/format.hpp"
#include "kernmill/storage/packed.hpp"

namespace kernmill::storage {
namespace fs = std::filesystem;
namespace {

constexpr const char* model_format = "kernmill-model";
constexpr const char* checkpoint_format = "kernmill-checkpoint";

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

std::string header_of(const Checkpoint& checkpoint) {
  Packer packer;
  packer.put(checkpoint.step);
  packer.put(checkpoint.state);
  for (const Tensor& tensor : checkpoint.tensors) {
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

Checkpoint load_checkpoint(const hdf5::File& file) {
  require_format(file, checkpoint_format);
  Checkpoint checkpoint;
  checkpoint.step = file.read_number_attribute("step");
  checkpoint.state = file.read_text("state");
  checkpoint.tensors = read_tensors(file, "tensors");
  require_header_checksum(file, header_of(checkpoint));
  return checkpoint;
}

void fill(const hdf5::File& file, const Checkpoint& checkpoint) {
  write_format(file, checkpoint_format);
  write_header_checksum(file, header_of(checkpoint));
  file.write_attribute("step", checkpoint.step);
  file.write_text("state", checkpoint.state);
  write_tensors(file, "tensors", checkpoint.tensors);
}

std::optional<std::uint64_t> step_of(const fs::path& file) {
  const std::string name = file.filename().string();
  constexpr std::string_view prefix = "step-", suffix = ".h5";
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return std::nullopt;
  std::uint64_t step = 0;
  const char* end = name.data() + name.size() - suffix.size();
  const auto [at, error] = std::from_chars(name.data() + prefix.size(), end, step);
  return error == std::errc{} && at == end ? std::optional(step) : std::nullopt;
}

/// Newest first.
std::vector<std::pair<std::uint64_t, fs::path>> checkpoints_in(const fs::path& directory) {
  std::vector<std::pair<std::uint64_t, fs::path>> found;
  std::error_code error;
  fs::directory_iterator entries(directory, error);
  if (error == std::errc::no_such_file_or_directory) return found;
  if (error) throw system_error(directory, "list it", error.value());
  for (const auto& entry : entries)
    if (const auto step = step_of(entry.path())) found.emplace_back(*step, entry.path());
  std::sort(found.rbegin(), found.rend());
  return found;
}

// A newer one that is still there was found damaged when this training went on from an older one.
void remove_superseded(const fs::path& directory, std::uint64_t step, int keep) {
  int kept = 0;
  for (const auto& [other, file] : checkpoints_in(directory))
    if (other > step || ++kept > std::max(keep, 1)) remove_quietly(file);
}

LoadedCheckpoint newest_whole(const fs::path& directory) {
  LoadedCheckpoint loaded;
  for (const auto& [step, file] : checkpoints_in(directory)) {
    try {
      loaded.checkpoint = load_checkpoint(hdf5::File::open(file, file.filename()));
      loaded.found = true;
      return loaded;
    } catch (const Error& e) {
      loaded.skipped.emplace_back(e.what());
    }
  }
  return loaded;
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

void write_checkpoint(MPI_Comm comm, const fs::path& directory, const Checkpoint& checkpoint, int keep) {
  agree_on_root(comm, [&] {
    std::error_code error;
    fs::create_directories(directory, error);
    if (error) throw system_error(directory, "create it", error.value());
    commit_file(
        directory / fmt::format("step-{}.h5", checkpoint.step),
        [&](hdf5::File& out) { fill(out, checkpoint); }, load_checkpoint);
    remove_superseded(directory, checkpoint.step, keep);
  });
}

LoadedCheckpoint load_newest_checkpoint(MPI_Comm comm, const fs::path& directory) {
  LoadedCheckpoint loaded;
  std::string bytes, tensors;
  agree_on_root(comm, [&] {
    loaded = newest_whole(directory);
    Packer packer;
    packer.put(loaded.found);
    packer.put(loaded.checkpoint.step);
    packer.put(loaded.checkpoint.state);
    packer.put(loaded.skipped);
    bytes = packer.take();
    tensors = packed(loaded.checkpoint.tensors);
  });
  broadcast(comm, bytes);
  broadcast(comm, tensors);
  Unpacker unpacker(bytes);
  unpacker.get(loaded.found);
  unpacker.get(loaded.checkpoint.step);
  unpacker.get(loaded.checkpoint.state);
  unpacker.get(loaded.skipped);
  loaded.checkpoint.tensors = unpacked_tensors(tensors);
  return loaded;
}

}  // namespace kernmill::storage
