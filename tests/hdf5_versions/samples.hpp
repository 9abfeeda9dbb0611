#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

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

/// Files of format version 2 have the first three kinds of the same content, all in float64.
enum class Version { two, three };

struct SampleRows {
  std::vector<double> features, target, before, at;
  std::vector<std::uint64_t> row_numbers;
};
SampleRows sample_content(storage::Part part);

storage::Model sample_model(Version version);
storage::Checkpoint sample_checkpoint(Version version);

/// Datasets of features of other types; `name` is that of the file.
struct TypedSample {
  std::string name;
  storage::Encoding encoding;
  std::string content_hash;
};
std::vector<TypedSample> typed_samples();
storage::Schema typed_schema();
SampleRows typed_content(const TypedSample& sample, storage::Part part);

/// dataset.h5, model.h5, checkpoint.h5, dataset_mixed.h5 and the other types; with a key dataset_encrypted.h5
/// and so on.
void write_samples(const std::filesystem::path& directory, const std::optional<storage::Key>& key);

}  // namespace kernmill::testing
