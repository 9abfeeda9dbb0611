#pragma once
#include <string>

namespace kernmill::storage {

/// The library that reads and writes files, as it is found when the program runs: "HDF5 1.10.8, parallel".
std::string library_version();

}  // namespace kernmill::storage
