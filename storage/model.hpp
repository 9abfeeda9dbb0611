#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <mpi.h>

#include "kernmill/storage/error.hpp"
#include "kernmill/storage/schema.hpp"

namespace kernmill::storage {

/// A named array of doubles, row-major.
struct Tensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::vector<double> data;
};

/// A trained model: what it is (`type` and its settings as JSON text), the schema of its data, its
/// parameters.
struct Model {
  std::string type;      ///< "softmax", "linear_svm", ...
  std::string settings;  ///< JSON text of the train stage's config
  Schema schema;
  std::vector<Tensor> parameters;
};

/// Collective; rank 0's parameters are written (every rank holds the same). Durable and whole, or not there
/// at all.
void write_model(MPI_Comm comm, const std::filesystem::path& file, const Model& model);
/// Collective: rank 0 reads, everybody gets it. Throws storage::Error on every rank.
Model read_model(MPI_Comm comm, const std::filesystem::path& file);

/// All that a training run needs to go on: small numbers by name, and tensors.
struct Checkpoint {
  std::uint64_t step = 0;  ///< epochs, or iterations of a full-batch method, that are done
  std::string state;  ///< JSON text: data position, optimizer scalars, metrics so far, digest of the config
  std::vector<Tensor> tensors;
};

/// Writes `step-<step>.h5` below `directory`, durably (temporary name, write, flush, fsync, verify, rename,
/// fsync the directory), then removes all but the newest `keep`. Collective.
void write_checkpoint(MPI_Comm comm, const std::filesystem::path& directory, const Checkpoint& checkpoint,
                      int keep);

/// The newest checkpoint that is whole (its checksums are right), and what was passed over on the way to it.
struct LoadedCheckpoint {
  bool found = false;
  Checkpoint checkpoint;
  std::vector<std::string> skipped;  ///< "step-40.h5: checksum of block 3 of 'weights' is wrong"
};
/// Collective; every rank gets the same.
LoadedCheckpoint load_newest_checkpoint(MPI_Comm comm, const std::filesystem::path& directory);

}  // namespace kernmill::storage
