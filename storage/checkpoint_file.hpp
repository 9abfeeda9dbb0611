#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/storage/checkpoint.hpp"
#include "kernmill/storage/sealed_table.hpp"

/// Private to storage/: what a checkpoint file looks like inside (see README.md). HDF5 makes and reads its
/// structure, on one rank; the tables are filled and read past it.
///
/// A footer (footer.hpp) is compared before HDF5 sees the file.
namespace kernmill::storage {

struct CheckpointHeader {
  std::uint64_t step = 0;
  std::string state;
  std::vector<TensorShape> tensors;
  std::vector<SealedTable> tables;  ///< of the tensors
  std::optional<Salt> salt;         ///< of an encrypted one
};

/// Makes `temporary`, with all but the content of the tables, and reserves its space. Returns the header with
/// its tables and its salt.
CheckpointHeader create_checkpoint_file(const std::filesystem::path& temporary,
                                        const std::filesystem::path& named, CheckpointHeader header,
                                        const std::optional<Key>& key);

/// Compares the bytes that are in no table with the footer.
void require_sound_structure(const std::filesystem::path& file, const std::filesystem::path& named);

/// Throws Error when it is damaged outside of the tables, or no checkpoint; KeyError when it is encrypted and
/// this is not the key.
CheckpointHeader read_checkpoint_header(const std::filesystem::path& file, const std::filesystem::path& named,
                                        const std::optional<Key>& key);

/// How to read and write the tables; nothing when they are plain.
std::optional<FileCipher> cipher_of(const CheckpointHeader& header, const std::optional<Key>& key);

std::string packed(const CheckpointHeader& header);
CheckpointHeader unpacked_header(std::string_view bytes);

}  // namespace kernmill::storage
