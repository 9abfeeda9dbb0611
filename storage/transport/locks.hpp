#pragma once
#include <filesystem>

#include "kernmill/storage/transport/choice.hpp"

namespace kernmill::storage {

/// Private to storage/. Throws Error where a file cannot be locked: ROMIO does on NFS, and ends the program
/// when it cannot.
void require_locks(const std::filesystem::path& file, const std::filesystem::path& named, Purpose purpose);

}  // namespace kernmill::storage
