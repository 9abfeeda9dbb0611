#include <algorithm>

#include <fmt/format.h>

#include "kernmill/storage/agreement.hpp"
#include "kernmill/storage/checkpoint_directory.hpp"
#include "kernmill/storage/checkpoint_file.hpp"
#include "kernmill/storage/crc32c.hpp"
#include "kernmill/storage/packed.hpp"

namespace kernmill::storage {
namespace fs = std::filesystem;
namespace {

Box all_of(const std::vector<std::uint64_t>& shape) {
  return {std::vector<std::uint64_t>(shape.size(), 0), shape};
}

/// Blocks of a tensor, one after the other, each compared with its checksum.
class BlockSource {
 public:
  BlockSource(const BlockFile& file, const TensorPlace& place, const fs::path& named)
      : file_(file), place_(place), named_(named) {}

  std::span<const double> block(std::uint64_t index) {
    const std::uint64_t begin = index * elements_per_block;
    buffer_.resize(std::min(elements_per_block, place_.elements() - begin));
    file_.read(place_.data + begin * sizeof(double), std::as_writable_bytes(std::span(buffer_)));
    std::uint32_t stored = 0;
    file_.read(place_.checksums + index * sizeof stored, std::as_writable_bytes(std::span(&stored, 1)));
    if (crc32c(std::span<const double>(buffer_)) != stored)
      throw Error(fmt::format("{}: checksum of block {} of '{}' is wrong", named_.string(), index,
                              place_.tensor.name));
    return buffer_;
  }

 private:
  const BlockFile& file_;
  const TensorPlace& place_;
  const fs::path& named_;
  std::vector<double> buffer_;
};

}  // namespace

struct CheckpointReader::Impl {
  MPI_Comm comm;
  fs::path named;
  CheckpointHeader header;
  std::vector<TensorShape> tensors;
  std::unique_ptr<BlockFile> file;

  [[nodiscard]] const TensorPlace& place_of(const std::string& name) const {
    for (const TensorPlace& place : header.places)
      if (place.tensor.name == name) return place;
    throw Error(fmt::format("{}: it has no tensor '{}'", named.string(), name));
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
    const TensorPlace& place = place_of(target.name);
    require_fits(target, place.tensor.shape);
    const Runs runs(place.tensor.shape, target.box);
    if (runs.count() == 0) return;
    BlockSource source(*file, place, named);
    const std::uint64_t last = (runs.begin(runs.count() - 1) + runs.length() - 1) / elements_per_block;
    for (std::uint64_t block = runs.begin(0) / elements_per_block; block <= last; ++block) {
      const std::uint64_t begin = block * elements_per_block, end = begin + elements_per_block;
      if (!runs.meets(begin, end)) continue;
      const auto values = source.block(block);
      runs.each(begin, end, [&](std::uint64_t at, std::uint64_t to, std::uint64_t count) {
        const auto run = values.subspan(at - begin, count);
        std::copy(run.begin(), run.end(), target.data.begin() + static_cast<std::ptrdiff_t>(to));
      });
    }
  }
};

CheckpointReader::CheckpointReader(MPI_Comm comm, const fs::path& file) : impl_(std::make_unique<Impl>()) {
  impl_->comm = comm;
  impl_->named = file.filename();
  std::string bytes;
  agree_on_root(comm, [&] { bytes = packed(read_checkpoint_header(file, impl_->named)); });
  broadcast(comm, bytes);
  impl_->header = unpacked_header(bytes);
  for (const TensorPlace& place : impl_->header.places) impl_->tensors.push_back(place.tensor);
  agree(comm, [&] { impl_->file = std::make_unique<BlockFile>(file, impl_->named, BlockFile::Mode::read); });
}

CheckpointReader::~CheckpointReader() = default;

std::uint64_t CheckpointReader::step() const {
  return impl_->header.step;
}

const std::string& CheckpointReader::state() const {
  return impl_->header.state;
}

const std::vector<TensorShape>& CheckpointReader::tensors() const {
  return impl_->tensors;
}

void CheckpointReader::read(std::span<const TensorTarget> targets) const {
  agree(impl_->comm, [&] {
    for (const TensorTarget& target : targets) impl_->read(target);
  });
}

Tensor CheckpointReader::read_whole(const std::string& name) const {
  Tensor tensor{name, impl_->place_of(name).tensor.shape, {}};
  tensor.data.resize(impl_->place_of(name).elements());
  agree_on_root(impl_->comm, [&] { impl_->read({name, all_of(tensor.shape), tensor.data}); });
  broadcast(impl_->comm, std::as_writable_bytes(std::span(tensor.data)));
  return tensor;
}

NewestCheckpoint take_newest_checkpoint(MPI_Comm comm, const fs::path& directory,
                                        const std::function<void(const CheckpointReader&)>& take) {
  std::string bytes;
  agree_on_root(comm, [&] {
    std::vector<std::uint64_t> steps;
    for (const auto& [step, file] : checkpoints_in(directory)) steps.push_back(step);
    Packer packer;
    packer.put(steps);
    bytes = packer.take();
  });
  broadcast(comm, bytes);
  std::vector<std::uint64_t> steps;
  Unpacker(bytes).get(steps);
  NewestCheckpoint newest;
  for (const std::uint64_t step : steps) {
    try {
      take(CheckpointReader(comm, checkpoint_file(directory, step)));
      newest.found = true;
      break;
    } catch (const Error& e) {
      newest.skipped.emplace_back(e.what());
    }
  }
  return newest;
}

std::vector<TensorBox> boxes_of(const std::vector<Tensor>& tensors) {
  std::vector<TensorBox> boxes;
  for (const Tensor& tensor : tensors)
    boxes.push_back({tensor.name, tensor.shape, all_of(tensor.shape), tensor.data});
  return boxes;
}

void write_checkpoint(MPI_Comm comm, const fs::path& directory, const Checkpoint& checkpoint,
                      const Retention& retention) {
  CheckpointWriter writer(comm, directory, retention);
  writer.start(checkpoint.step, checkpoint.state, boxes_of(checkpoint.tensors));
  const auto outcome = writer.finish();
  if (!outcome->error.empty()) throw Error(outcome->error);
}

LoadedCheckpoint load_newest_checkpoint(MPI_Comm comm, const fs::path& directory) {
  LoadedCheckpoint loaded;
  auto newest = take_newest_checkpoint(comm, directory, [&](const CheckpointReader& reader) {
    loaded.checkpoint = {reader.step(), reader.state(), {}};
    for (const TensorShape& tensor : reader.tensors())
      loaded.checkpoint.tensors.push_back(reader.read_whole(tensor.name));
  });
  if (!newest.found) loaded.checkpoint = {};
  loaded.found = newest.found;
  loaded.skipped = std::move(newest.skipped);
  return loaded;
}

}  // namespace kernmill::storage
