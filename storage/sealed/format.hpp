#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kernmill/storage/hdf5/hdf5.hpp"

/// Private to storage/: what the files look like inside (see README.md).
namespace kernmill::storage {

/// What is written; 1 and 2 are read, too. A file that has what readers of it would pass over, and should
/// not, is of a later one.
inline constexpr std::uint64_t format_version = 3;

/// "kernmill-dataset", "kernmill-model", "kernmill-checkpoint" or "kernmill-history".
void write_format(const hdf5::File& file, const std::string& format, std::uint64_t version);
/// Throws Error when the file is of another kind, or of a version that this program does not know: after
/// `newest`.
void require_format(const hdf5::File& file, const std::string& format, std::uint64_t newest);
std::uint64_t version_of(const hdf5::File& file);

/// The tensors of a model or a checkpoint, in their order: `/names`, `/dimensions` and `/types`.
struct ListedTensor {
  std::string name;
  std::uint64_t dimensions = 0;
  Element type = Element::f64;
};
void write_tensor_list(const hdf5::File& file, const std::vector<ListedTensor>& tensors);
std::vector<ListedTensor> read_tensor_list(const hdf5::File& file);

}  // namespace kernmill::storage
