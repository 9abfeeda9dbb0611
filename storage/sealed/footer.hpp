#pragma once
#include <filesystem>
#include <vector>

#include "kernmill/storage/sealed/sealed_table.hpp"

/// Private to storage/: what stands behind the HDF5 file, and keeps HDF5, which can crash on a damaged one,
/// from opening it (see README.md).
namespace kernmill::storage {

/// Appends the checksum of all bytes that are in no table, none's checksums and none's tags. Nothing of that
/// may change after it.
void append_footer(const std::filesystem::path& file, const std::filesystem::path& named,
                   const std::vector<SealedTable>& tables);

/// What probably happened to a file whose footer is gone or wrong, and the way out.
inline constexpr const char* why_a_footer_is_broken =
    "Was it opened for writing by another program (h5py's mode 'r+' or 'a')? Open such files with 'r', and "
    "work on a "
    "copy; this one has to be made anew";

/// False when there is no footer. Throws when there is one, and the file is not what it was.
bool has_sound_footer(const std::filesystem::path& file, const std::filesystem::path& named);

}  // namespace kernmill::storage
