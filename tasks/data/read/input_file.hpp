#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/data/store/scratch_file.hpp"

namespace kernmill::tasks {

/// A regular file that is open for reading in place. Throws TaskError: what is wrong with the file, and what
/// to do.
class InputFile {
 public:
  /// `named` is what errors call it; `cipher` is what it was encrypted with.
  InputFile(const std::filesystem::path& file, std::filesystem::path named,
            std::optional<storage::ScratchCipher> cipher = {});
  explicit InputFile(const std::filesystem::path& file) : InputFile(file, file) {}
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  [[nodiscard]] const std::filesystem::path& named() const { return named_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Shorter at the end of the file.
  [[nodiscard]] std::string read(std::uint64_t offset, std::uint64_t count) const;
  /// How many bytes it read: fewer than `count` at the end of the file.
  std::uint64_t read(std::uint64_t offset, char* to, std::uint64_t count) const;

 private:
  std::filesystem::path named_;
  std::optional<storage::ScratchCipher> cipher_;
  std::uint64_t size_ = 0;
  int fd_ = -1;
};

using InputFiles = std::vector<std::shared_ptr<const InputFile>>;

/// Collective. The file, or the files of a pattern (`part-*.csv`) by name. A file in gzip's format is
/// expanded first, into the scratch directory, where nothing of it stays: the ranks expand a file each at a
/// time. Whether a file is compressed its first bytes tell, not its name. One that becomes more than
/// `max_expansion` times as long (and longer than 64 MiB) is an error: it was made to fill the disk.
InputFiles open_input_files(const Communicator& comm, const std::filesystem::path& path,
                            const Scratch& scratch, std::uint64_t max_expansion);

}  // namespace kernmill::tasks
