#pragma once
#include "kernmill/storage/dataset/encoding.hpp"
#include "kernmill/storage/dataset/schema.hpp"
#include "kernmill/storage/file/packed.hpp"
#include "kernmill/storage/hdf5/hdf5.hpp"

/// Private to storage/: the group `/encoding` of a dataset (see README.md).
namespace kernmill::storage {

auto members_of(Is<Encoding> auto& encoding) {
  return std::tie(encoding.sparse, encoding.features, encoding.bytes, encoding.center, encoding.scale,
                  encoding.target);
}

/// As it is for this schema: classes are int32 where nothing else is asked for. Throws Error (of `file`) for
/// one that the schema's rows cannot have.
Encoding sound_encoding(Encoding encoding, const Schema& schema, const std::filesystem::path& file);

void write_encoding(const hdf5::File& file, const Encoding& encoding);
/// Before format version 3 all was float64.
Encoding read_encoding(const hdf5::File& file, const Schema& schema, std::uint64_t version);

}  // namespace kernmill::storage
