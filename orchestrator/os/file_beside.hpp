#pragma once
#include <chrono>
#include <filesystem>
#include <string_view>

#include <sys/types.h>

#include "kernmill/os/file_descriptor.hpp"

namespace kernmill {

/// A new file beside another, to be put into its place: `.NAME.<16 random hex digits>.tmp`. It is made, never
/// opened (O_EXCL, O_NOFOLLOW): nobody can have planted it. Removed with the object, unless it took the
/// place. Everything throws std::system_error that names the file whose place it is to take.
class FileBeside {
 public:
  /// Gets exactly these permissions, whatever the umask.
  FileBeside(std::filesystem::path path, mode_t mode);
  ~FileBeside();
  FileBeside(const FileBeside&) = delete;
  FileBeside& operator=(const FileBeside&) = delete;

  void write(std::string_view text);
  void sync();
  void take_place();

 private:
  [[noreturn]] void fail(const char* what) const;

  std::filesystem::path path_, beside_;
  FileDescriptor file_;
};

/// Removes what a process that was killed has left of such files in a folder and in those below it, once it
/// is that old. What cannot be removed stays.
void remove_files_left_beside(const std::filesystem::path& folder, std::chrono::hours age);

}  // namespace kernmill
