#pragma once
#include <filesystem>
#include <string>

#include <sys/types.h>

/// Files that are whole or absent, whenever the machine stops.
namespace kernmill {

/// Makes a directory and those above it that are missing, each open to whom its parent is: 0700, or 0750
/// below one that the group may read; within a run its key `share` decides so, not the umask. The group that
/// a directory hands down (setgid) stays. Throws std::system_error that names the path.
void make_directories(const std::filesystem::path& path);
/// The same, with these permissions.
void make_directories(const std::filesystem::path& path, mode_t mode);
/// Makes one directory with these permissions, whatever the umask. False: it is there already.
bool make_directory(const std::filesystem::path& path, mode_t mode);

/// Makes the names in a directory durable. Throws std::system_error that names it.
void sync_directory(const std::filesystem::path& path);

/// Writes a whole file the safe way: beside it (FileBeside), fsync, rename, fsync of the directory. It is
/// open to whom its directory is: 0600 or 0640. Throws std::system_error that names the file; leaves nothing
/// that looks whole.
void write_file_durably(const std::filesystem::path& path, const std::string& content);

/// A file's whole content. Throws std::system_error that names the file.
std::string read_file(const std::filesystem::path& path);

}  // namespace kernmill
