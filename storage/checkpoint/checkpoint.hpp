#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <mpi.h>

#include "kernmill/storage/checkpoint/box.hpp"
#include "kernmill/storage/element.hpp"
#include "kernmill/storage/error.hpp"
#include "kernmill/storage/sealed/key.hpp"
#include "kernmill/storage/tensor.hpp"
#include "kernmill/storage/transport/choice.hpp"

/// All that a training run needs to go on: a step, a text, and tensors that the ranks hold in parts. Any
/// number of ranks reads what any other number wrote, each the parts that it wants.
namespace kernmill::storage {

/// What a rank holds of a tensor, row-major.
struct TensorBox {
  std::string name;
  std::vector<std::uint64_t> shape;  ///< of the whole tensor
  Box box;
  Numbers data;  ///< which are stored as they are
};

/// What a rank wants of a tensor, and where to: as float64 or float32, whatever is stored, or as it is
/// stored.
struct TensorTarget {
  std::string name;
  Box box;
  WritableNumbers data;
};

struct TensorShape {
  std::string name;
  std::vector<std::uint64_t> shape;
  Element type = Element::f64;
};

/// Which checkpoints stay when a new one is there: the newest `keep`, two at least, so that a damaged one has
/// another behind it; and of every `keep_every` steps the first one, for good (0: none).
struct Retention {
  int keep = 2;
  std::uint64_t keep_every = 0;
};

/// How a checkpoint ended that a CheckpointWriter began.
struct CheckpointOutcome {
  std::uint64_t step = 0;
  std::string error;   ///< empty: it is there, durably
  double seconds = 0;  ///< from its beginning
};

/// Writes `step-<step>.h5` below a directory, one at a time, while the caller goes on. Each is durable and
/// whole, or not there at all (temporary name, reserved space, fsync on every rank that wrote, read back,
/// rename, fsync of the directory). With a key it is encrypted.
///
/// A thread of each rank writes what was copied; it calls neither MPI nor HDF5. What the ranks have to agree
/// on goes on in `poll` and `finish`, without waiting in the first. Through MPI-IO the writes themselves go
/// on there, too: `poll` gives them a twentieth of the time since it was called last.
class CheckpointWriter {
 public:
  /// Collective, as are `start` and `finish`.
  CheckpointWriter(MPI_Comm comm, std::filesystem::path directory, Retention retention = {},
                   std::optional<Key> key = {}, const TransportSettings& transport = {});
  /// Awaits this rank's part, and the other ranks for a while.
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Copies the tensors; the spans are free again when it returns. Step and state are rank 0's. The boxes of
  /// all ranks together are each tensor whole; of boxes that several ranks hold, the lowest rank's counts.
  /// Throws Error on every rank: gaps, overlaps, different shapes and types (with tensor and ranks), a full
  /// disk. The one before must have ended.
  void start(std::uint64_t step, const std::string& state, std::span<const TensorBox> boxes);
  /// To be called now and then, by each rank as often as it likes: how the last one ended, once.
  [[nodiscard]] std::optional<CheckpointOutcome> poll();
  /// Waits for the end. Nothing when there is none to wait for.
  [[nodiscard]] std::optional<CheckpointOutcome> finish();
  /// Whether there is one whose end was not told yet.
  [[nodiscard]] bool busy() const;
  /// Whether, of such a one, this rank's part is on disk: `finish` would not wait long.
  [[nodiscard]] bool written_here() const;
  /// How the tensors go to the file, and why.
  [[nodiscard]] const TransportChoice& transport() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A checkpoint that is open. Whatever it gives has been compared with its checksums.
class CheckpointReader {
 public:
  /// Collective. Throws Error on every rank; KeyError without the key that it is encrypted with.
  CheckpointReader(MPI_Comm comm, const std::filesystem::path& file, const std::optional<Key>& key = {});
  ~CheckpointReader();
  CheckpointReader(const CheckpointReader&) = delete;
  CheckpointReader& operator=(const CheckpointReader&) = delete;

  [[nodiscard]] std::uint64_t step() const;
  [[nodiscard]] const std::string& state() const;
  [[nodiscard]] const std::vector<TensorShape>& tensors() const;
  /// Collective; each rank reads what it wants. Throws Error on every rank: "step-40.h5: checksum of block 3
  /// of 'tensors/weights' is wrong".
  void read(std::span<const TensorTarget> targets) const;
  /// Collective: every rank gets all of a tensor; rank 0 reads it.
  [[nodiscard]] Tensor read_whole(const std::string& name) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct NewestCheckpoint {
  bool found = false;
  std::vector<std::string> skipped;  ///< "step-40.h5: checksum of block 3 of 'tensors/weights' is wrong"
};
/// Collective. Gives the checkpoints below `directory` to `take`, newest first, until it returns without an
/// Error: what it read by then is whole. A KeyError is thrown, since older ones would not be better.
NewestCheckpoint take_newest_checkpoint(MPI_Comm comm, const std::filesystem::path& directory,
                                        const std::function<void(const CheckpointReader&)>& take,
                                        const std::optional<Key>& key = {});

/// The plain case: every rank holds all of every tensor.
struct Checkpoint {
  std::uint64_t step = 0;  ///< of the method, that are done: batches, or iterations of a full-batch one
  std::string state;  ///< JSON text: data position, optimizer scalars, metrics so far, digest of the config
  std::vector<Tensor> tensors;
};

/// The tensors as boxes, each whole. Valid as long as they are.
std::vector<TensorBox> boxes_of(const std::vector<Tensor>& tensors);

/// Collective. Returns when it is durable.
void write_checkpoint(MPI_Comm comm, const std::filesystem::path& directory, const Checkpoint& checkpoint,
                      const Retention& retention = {}, const std::optional<Key>& key = {},
                      const TransportSettings& transport = {});

struct LoadedCheckpoint {
  bool found = false;
  Checkpoint checkpoint;
  std::vector<std::string> skipped;
};
/// Collective; every rank gets the same.
LoadedCheckpoint load_newest_checkpoint(MPI_Comm comm, const std::filesystem::path& directory,
                                        const std::optional<Key>& key = {});

}  // namespace kernmill::storage
