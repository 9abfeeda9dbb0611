#pragma once
#include <filesystem>
#include <string_view>

/// A file that one process writes beside its name, and that gets the name when it is whole.
namespace kernmill::storage {

/// Made anew under a name that nobody can foresee, 0600; never through a link that somebody has put there.
/// What has not been published goes with the object. Throws Error.
class NewFile {
 public:
  explicit NewFile(const std::filesystem::path& file);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(std::string_view bytes) const;
  void sync() const;
  /// As storage::publish; in a folder that is not a run's, the umask has a say in who may read it.
  void publish();
  void publish_by_umask();
  [[nodiscard]] const std::filesystem::path& name() const { return file_; }

 private:
  std::filesystem::path file_, temporary_;
  int fd_;
};

}  // namespace kernmill::storage
