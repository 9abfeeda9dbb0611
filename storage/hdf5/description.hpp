#pragma once
#include <string>
#include <vector>

#include "kernmill/storage/hdf5/hdf5.hpp"

/// Private to storage/: what a file says beside its tables, as bytes to take a digest of.
namespace kernmill::storage {

/// Everything below a group, in the order of the names: path, type, shape and value. `without` are paths to
/// leave out.
std::string description_of(const hdf5::File& file, const std::string& group,
                           const std::vector<std::string>& without);

}  // namespace kernmill::storage
