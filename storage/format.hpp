#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kernmill/storage/hdf5.hpp"
#include "kernmill/storage/model.hpp"
#include "kernmill/storage/schema_file.hpp"

/// Private to storage/: what the files look like inside (see README.md).
namespace kernmill::storage {

inline constexpr std::uint64_t format_version = 2;  ///< that is written; 1 is read, too

/// "kernmill-dataset", "kernmill-model" or "kernmill-checkpoint".
void write_format(const hdf5::File& file, const std::string& format);
/// Throws Error when the file is of another kind, or of a version that this program does not know.
void require_format(const hdf5::File& file, const std::string& format);
std::uint64_t version_of(const hdf5::File& file);

/// Tensors below a group, in order, with a table of CRC-32C, one a block of 1 MiB. Reading verifies them and
/// throws Error: "FILE: checksum of block 3 of 'weights' is wrong".
void write_tensors(const hdf5::File& file, const std::string& group, const std::vector<Tensor>& tensors);
std::vector<Tensor> read_tensors(const hdf5::File& file, const std::string& group);

/// The checksum of what is no tensor: `bytes` are the packed values.
void write_header_checksum(const hdf5::File& file, const std::string& bytes);
void require_header_checksum(const hdf5::File& file, const std::string& bytes);

}  // namespace kernmill::storage
