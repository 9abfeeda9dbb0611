#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/storage/checkpoint/checkpoint_directory.hpp"
#include "kernmill/storage/checkpoint/checkpoint_file.hpp"
#include "kernmill/storage/conversion.hpp"
#include "kernmill/storage/file/agreement.hpp"
#include "kernmill/storage/file/from_root.hpp"
#include "kernmill/storage/sealed/sealed_reader.hpp"

namespace kernmill::storage {
namespace fs = std::filesystem;
namespace {

Box all_of(const std::vector<std::uint64_t>& shape) {
  return {std::vector<std::uint64_t>(shape.size(), 0), shape};
}

std::vector<std::uint64_t> steps_in(const fs::path& directory) {
  std::vector<std::uint64_t> steps;
  for (const auto& [step, file] : checkpoints_in(directory)) steps.push_back(step);
  return steps;
}

}  // namespace

struct CheckpointReader::Impl {
  MPI_Comm comm;
  fs::path named;
  CheckpointHeader header;
  std::unique_ptr<SealedReader> tables;

  [[nodiscard]] std::size_t index_of(const std::string& name) const {
    const auto found = std::find_if(header.tensors.begin(), header.tensors.end(),
                                    [&](const TensorShape& tensor) { return tensor.name == name; });
    if (found == header.tensors.end())
      throw Error(fmt::format("{}: it has no tensor '{}'", named.string(), name));
    return static_cast<std::size_t>(found - header.tensors.begin());
  }

  void require_fits(const TensorTarget& target, const std::vector<std::uint64_t>& shape) const {
    bool fits = target.box.offset.size() == shape.size() && target.box.extent.size() == shape.size() &&
                volume_of(target.box) == target.data.size();
    for (std::size_t i = 0; fits && i < shape.size(); ++i)
      fits = target.box.extent[i] <= shape[i] && target.box.offset[i] <= shape[i] - target.box.extent[i];
    if (!fits)
      throw Error(fmt::format("{}: '{}' of shape ({}) has no such part", named.string(), target.name,
                              fmt::join(shape, " x ")));
  }

  void read(const TensorTarget& target) const {
    const std::size_t index = index_of(target.name);
    const TensorShape& tensor = header.tensors[index];
    require_fits(target, tensor.shape);
    if (target.data.type() == tensor.type) return read_stored(index, target.box, target.data.bytes());
    TensorData stored(tensor.type, target.data.size());
    read_stored(index, target.box, stored.bytes);
    if (!convert(stored.numbers(), target.data))
      throw Error(fmt::format("{}: '{}' is of {}, which is not read as {}", named.string(), target.name,
                              to_string(tensor.type), to_string(target.data.type())));
  }

  void read_stored(std::size_t index, const Box& box, std::span<std::byte> out) const {
    const TensorShape& tensor = header.tensors[index];
    const std::uint64_t bytes = size_of(tensor.type);
    const Runs runs(tensor.shape, box);
    std::vector<std::uint64_t> offsets(runs.count());
    for (std::uint64_t run = 0; run < runs.count(); ++run) offsets[run] = runs.begin(run) * bytes;
    if (offsets.size() == 1) return tables->read(index, offsets[0], out);
    tables->read_pieces(index, offsets, runs.length() * bytes, out);
  }
};

CheckpointReader::CheckpointReader(MPI_Comm comm, const fs::path& file, const std::optional<Key>& key)
    : impl_(std::make_unique<Impl>()) {
  impl_->comm = comm;
  impl_->named = file.filename();
  impl_->header = from_root(comm, [&] { return read_checkpoint_header(file, impl_->named, key); });
  agree(comm, [&] {
    impl_->tables = std::make_unique<SealedReader>(file, impl_->named, impl_->header.tables,
                                                   cipher_of(impl_->header.salt, key), Verify::once);
  });
}

CheckpointReader::~CheckpointReader() = default;

std::uint64_t CheckpointReader::step() const {
  return impl_->header.step;
}

const std::string& CheckpointReader::state() const {
  return impl_->header.state;
}

const std::vector<TensorShape>& CheckpointReader::tensors() const {
  return impl_->header.tensors;
}

void CheckpointReader::read(std::span<const TensorTarget> targets) const {
  agree(impl_->comm, [&] {
    for (const TensorTarget& target : targets) impl_->read(target);
  });
}

Tensor CheckpointReader::read_whole(const std::string& name) const {
  const TensorShape& stored = impl_->header.tensors[impl_->index_of(name)];
  const Box all = all_of(stored.shape);
  Tensor tensor{name, stored.shape, {stored.type, volume_of(all)}};
  agree_on_root(impl_->comm, [&] { impl_->read({name, all, tensor.data.writable()}); });
  broadcast(impl_->comm, std::span(tensor.data.bytes));
  return tensor;
}

NewestCheckpoint take_newest_checkpoint(MPI_Comm comm, const fs::path& directory,
                                        const std::function<void(const CheckpointReader&)>& take,
                                        const std::optional<Key>& key) {
  NewestCheckpoint newest;
  for (const std::uint64_t step : from_root(comm, [&] { return steps_in(directory); })) {
    try {
      take(CheckpointReader(comm, checkpoint_file(directory, step), key));
      newest.found = true;
      break;
    } catch (const KeyError&) {
      throw;
    } catch (const Error& e) {
      newest.skipped.emplace_back(e.what());
    }
  }
  return newest;
}

std::vector<TensorBox> boxes_of(const std::vector<Tensor>& tensors) {
  std::vector<TensorBox> boxes;
  boxes.reserve(tensors.size());
  for (const Tensor& tensor : tensors)
    boxes.push_back({tensor.name, tensor.shape, all_of(tensor.shape), tensor.data.numbers()});
  return boxes;
}

void write_checkpoint(MPI_Comm comm, const fs::path& directory, const Checkpoint& checkpoint,
                      const Retention& retention, const std::optional<Key>& key,
                      const TransportSettings& transport) {
  CheckpointWriter writer(comm, directory, retention, key, transport);
  writer.start(checkpoint.step, checkpoint.state, boxes_of(checkpoint.tensors));
  const auto outcome = writer.finish();
  if (!outcome->error.empty()) throw Error(outcome->error);
}

LoadedCheckpoint load_newest_checkpoint(MPI_Comm comm, const fs::path& directory,
                                        const std::optional<Key>& key) {
  LoadedCheckpoint loaded;
  const auto take = [&](const CheckpointReader& reader) {
    loaded.checkpoint = {reader.step(), reader.state(), {}};
    for (const TensorShape& tensor : reader.tensors())
      loaded.checkpoint.tensors.push_back(reader.read_whole(tensor.name));
  };
  auto newest = take_newest_checkpoint(comm, directory, take, key);
  if (!newest.found) loaded.checkpoint = {};
  loaded.found = newest.found;
  loaded.skipped = std::move(newest.skipped);
  return loaded;
}

}  // namespace kernmill::storage
