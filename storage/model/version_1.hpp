#pragma once
#include <string>
#include <vector>

#include "kernmill/storage/hdf5/hdf5.hpp"
#include "kernmill/storage/model/model.hpp"

/// Private to storage/: what a model file of format version 1 looks like inside.
namespace kernmill::storage {

/// The tensors of a model of version 1: a table of CRC-32C each, one a block of 1 MiB, which are verified.
std::vector<Tensor> read_tensors_of_version_1(const hdf5::File& file, const std::string& group);

/// Compares what is no tensor in a model of version 1 with its checksum.
void require_header_checksum(const hdf5::File& file, const Model& model);

}  // namespace kernmill::storage
