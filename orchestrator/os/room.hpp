#pragma once
#include <filesystem>
#include <string>

namespace kernmill {

/// Why nothing can be written into a folder: its file system is full, or has no inode left, a quota is used
/// up, it is read-only. Empty when it can be, and when the folder is not there. Found by trying with 64 KiB,
/// since a quota shows in no other way; nothing stays.
std::string why_no_room(const std::filesystem::path& folder);

}  // namespace kernmill
