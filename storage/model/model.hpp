#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <mpi.h>

#include "kernmill/storage/dataset/schema.hpp"
#include "kernmill/storage/error.hpp"
#include "kernmill/storage/sealed/key.hpp"
#include "kernmill/storage/tensor.hpp"

namespace kernmill::storage {

/// A trained model: its type and settings (as JSON text), the schema of its data, and its parameters.
struct Model {
  std::string type;      ///< "softmax", "linear_svm", ...
  std::string settings;  ///< JSON text of the train stage's config
  Schema schema;
  std::vector<Tensor> parameters;
};

/// Collective; rank 0's parameters are written (every rank holds the same). Durable and whole, or not there
/// at all. With a key it is encrypted.
void write_model(MPI_Comm comm, const std::filesystem::path& file, const Model& model,
                 const std::optional<Key>& key = {});
/// Collective: rank 0 reads, everybody gets it. Throws storage::Error on every rank.
Model read_model(MPI_Comm comm, const std::filesystem::path& file, const std::optional<Key>& key = {});
/// One rank's: all but the numbers of the parameters, which are neither read nor proved.
Model read_model_outline(const std::filesystem::path& file, const std::optional<Key>& key = {});

}  // namespace kernmill::storage
