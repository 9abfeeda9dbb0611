#include "kernmill/storage/transport/file_system.hpp"

#include <sys/vfs.h>

namespace kernmill::storage {

const char* to_string(FileSystem file_system) {
  switch (file_system) {
    case FileSystem::local:
      return "a local file system";
    case FileSystem::lustre:
      return "Lustre";
    case FileSystem::gpfs:
      return "GPFS";
    case FileSystem::nfs:
      return "NFS";
    case FileSystem::beegfs:
      return "BeeGFS";
    case FileSystem::ceph:
      return "CephFS";
    default:
      return "an unknown file system";
  }
}

FileSystem file_system_of(unsigned long type) {
  switch (type & 0xFFFFFFFFUL) {  // it is signed, and extended, on some machines
    case 0x0BD00BD0:
      return FileSystem::lustre;
    case 0x47504653:
      return FileSystem::gpfs;
    case 0x6969:
      return FileSystem::nfs;
    case 0x19830326:
      return FileSystem::beegfs;
    case 0x00C36400:
      return FileSystem::ceph;
    case 0xEF53:      // ext2, ext3, ext4
    case 0x58465342:  // xfs
    case 0x9123683E:  // btrfs
    case 0x794C7630:  // overlay
    case 0x01021994:  // tmpfs
    case 0x858458F6:  // ramfs
    case 0x2FC12FC1:  // zfs
    case 0xF2F52010:  // f2fs
    case 0xCA451A4E:  // bcachefs
    case 0x3153464A:  // jfs
    case 0x52654973:  // reiserfs
    case 0x4D44:      // vfat
    case 0x2011BAB0:  // exfat
      return FileSystem::local;
    default:
      return FileSystem::unknown;
  }
}

FileSystem file_system_at(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::path at = std::filesystem::absolute(directory, error);
  struct statfs status {};
  while (statfs(at.c_str(), &status) != 0) {
    if (!at.has_relative_path()) return FileSystem::unknown;
    at = at.parent_path();
  }
  return file_system_of(static_cast<unsigned long>(status.f_type));
}

}  // namespace kernmill::storage
