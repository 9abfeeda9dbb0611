#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "kernmill/storage/checkpoint/checkpoint.hpp"
#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/storage/model/model.hpp"

/// What one version of HDF5 writes and another has to read: a small file of each kind, plain and encrypted.
namespace kernmill::testing {

/// The bytes 0 to 31, as in files/test.key.
storage::Key sample_key();

/// A series with texts, categories and steps, and a part without rows.
storage::Schema sample_schema();
inline constexpr storage::PartSizes sample_rows{20, 0, 5};
inline constexpr const char* sample_provenance = R"({"by":"a test"})";
/// Of the dataset as HDF5 1.10.8 wrote it.
inline constexpr const char* sample_content_hash =
    "c04a56457940b8f0ff20c967dcb7d08c849642335e0acb10d58601b421ef58eb";
/// The same in format version 2.
inline constexpr const char* sample_content_hash_of_version_2 =
    "f943354b74213a9e9a9795456afc9d3f741583bf7b1da3b534140b6ab67ce92f";

struct SampleRows {
  std::vector<double> features, target, before, at;
  std::vector<std::uint64_t> row_numbers;
};
SampleRows sample_content(storage::Part part);

storage::Model sample_model();
storage::Checkpoint sample_checkpoint();

/// dataset.h5, model.h5, checkpoint.h5, and with a key dataset_encrypted.h5 and so on.
void write_samples(const std::filesystem::path& directory, const std::optional<storage::Key>& key);

}  // namespace kernmill::testing
