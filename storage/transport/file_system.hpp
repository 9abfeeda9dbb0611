#pragma once
#include <filesystem>

namespace kernmill::storage {

/// What a directory lies on, as far as it matters to how ranks write one file there.
enum class FileSystem {
  local,  ///< of this node alone: ext4, xfs, btrfs, overlay, tmpfs
  lustre,
  gpfs,
  nfs,
  beegfs,
  ceph,
  unknown,  ///< none of these: a FUSE one, SMB, one that this program does not know
};

/// "Lustre", "NFS", "a local file system".
const char* to_string(FileSystem file_system);

/// By the number that statfs gives as its type.
FileSystem file_system_of(unsigned long type);

/// That of a directory, or of the nearest one above it that is there. Unknown where nobody can tell.
FileSystem file_system_at(const std::filesystem::path& directory);

}  // namespace kernmill::storage
