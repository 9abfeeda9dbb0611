#pragma once
#include <filesystem>
#include <functional>

#include "kernmill/storage/durable.hpp"
#include "kernmill/storage/hdf5.hpp"

/// Private to storage/: how one rank writes an HDF5 file that is there whole, or not at all.
namespace kernmill::storage {

/// `fill` writes into a new file, `verify` reads what has reached the disk; then the file gets its name. On
/// any failure nothing is left, and the Error names `file`.
void commit_file(const std::filesystem::path& file, const std::function<void(hdf5::File&)>& fill,
                 const std::function<void(const hdf5::File&)>& verify);

/// Throws the system_error of an injected fault.
void fail_at(std::string_view step, const std::filesystem::path& file);

}  // namespace kernmill::storage
