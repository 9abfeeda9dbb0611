#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/storage/block_file.hpp"
#include "kernmill/storage/checkpoint_layout.hpp"

/// Private to storage/: what a checkpoint file looks like inside (see README.md). HDF5 makes and reads its
/// structure, on one rank; the tables are filled and read past it.
///
/// HDF5 can crash on a damaged file. So behind what HDF5 wrote stands a footer, with a checksum of all bytes
/// that are in no table; it is compared before HDF5 sees the file.
namespace kernmill::storage {

/// Where a tensor's table and that of its checksums begin in the file; nothing for an empty one.
struct TensorPlace {
  TensorShape tensor;
  std::uint64_t data = 0, checksums = 0;
  [[nodiscard]] std::uint64_t elements() const;
};

struct CheckpointHeader {
  std::uint64_t step = 0;
  std::string state;
  std::vector<TensorPlace> places;
};

/// Makes `temporary`, with all but the content of the tables, and reserves its space. Returns the header with
/// its places filled in.
CheckpointHeader create_checkpoint_file(const std::filesystem::path& temporary,
                                        const std::filesystem::path& named, CheckpointHeader header);

/// Compares the bytes that are in no table with the footer.
void require_sound_structure(const BlockFile& file, const std::filesystem::path& named);

/// Throws Error when it is damaged outside of the tables, or no checkpoint.
CheckpointHeader read_checkpoint_header(const std::filesystem::path& file,
                                        const std::filesystem::path& named);

std::string packed(const CheckpointHeader& header);
CheckpointHeader unpacked_header(std::string_view bytes);

}  // namespace kernmill::storage
