#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/storage/checkpoint/checkpoint.hpp"
#include "kernmill/storage/file/packed.hpp"
#include "kernmill/storage/sealed/sealed_table.hpp"

/// Private to storage/: what a checkpoint file looks like inside (see README.md). HDF5 makes and reads its
/// structure, on one rank; the tables are filled and read past it.
///
/// A footer (footer.hpp) is compared before HDF5 sees the file.
namespace kernmill::storage {

struct CheckpointHeader {
  std::uint64_t step = 0;
  std::string state;
  std::vector<TensorShape> tensors;
  std::vector<SealedTable> tables;  ///< of the tensors, in their order
  std::optional<Salt> salt;         ///< of an encrypted one
};

auto members_of(Is<TensorShape> auto& tensor) {
  return std::tie(tensor.name, tensor.shape, tensor.type);
}

auto members_of(Is<CheckpointHeader> auto& header) {
  return std::tie(header.step, header.state, header.tensors, header.tables, header.salt);
}

struct NewCheckpoint {
  CheckpointHeader header;  ///< with the tables and the salt
  std::string content;      ///< of an encrypted one: the bytes of one more table, behind those of the tensors
};
/// Makes `temporary`, with all but the content of the tables, and reserves its space.
NewCheckpoint create_checkpoint_file(const std::filesystem::path& temporary,
                                     const std::filesystem::path& named, CheckpointHeader header,
                                     const std::optional<Key>& key);

/// Compares the bytes that are in no table with the footer.
void require_sound_structure(const std::filesystem::path& file, const std::filesystem::path& named);

/// Throws Error when it is damaged outside of the tables, or no checkpoint; KeyError when it is encrypted and
/// this is not the key.
CheckpointHeader read_checkpoint_header(const std::filesystem::path& file, const std::filesystem::path& named,
                                        const std::optional<Key>& key);

}  // namespace kernmill::storage
