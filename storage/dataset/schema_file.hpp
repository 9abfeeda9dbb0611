#pragma once
#include "kernmill/storage/dataset/schema.hpp"
#include "kernmill/storage/hdf5/hdf5.hpp"

/// Private to storage/: the group `/schema` of a dataset or a model (see README.md).
namespace kernmill::storage {

void write_schema(const hdf5::File& file, const Schema& schema);
/// Also that of format version 1, which knows means and scales alone: they become a step.
Schema read_schema(const hdf5::File& file);

}  // namespace kernmill::storage
