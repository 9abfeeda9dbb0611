#pragma once
#include <filesystem>
#include <string_view>

#include "kernmill/storage/transport/choice.hpp"

namespace kernmill::storage {

/// Private to storage/. Throws Error where a file cannot be locked: ROMIO does on NFS, and ends the program
/// when it cannot.
void require_locks(const std::filesystem::path& file, const std::filesystem::path& named, Purpose purpose);

/// Whether the mount of a device keeps locks to its own node (`nolock`, `local_lock=all`), by the text of
/// /proc/self/mountinfo. Such locks keep nobody else away.
bool locks_stay_here(std::string_view mountinfo, unsigned major, unsigned minor);

}  // namespace kernmill::storage
