#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/run/journal/journal_line.hpp"

/// Private to run/journal: a journal file, read piece by piece, however large it is.
namespace kernmill {

/// By what a file is known to be the one that was read, without reading it again.
struct FileIdentity {
  std::uint64_t inode = 0, size = 0;
  std::int64_t modified = 0, changed = 0;  ///< nanoseconds since 1970
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

/// Nothing when there is no such file. Throws std::system_error when it cannot be looked at.
std::optional<FileIdentity> file_identity(const std::filesystem::path& path);

/// How far a file has been read: whole lines.
struct ReadMark {
  std::uint64_t bytes = 0, lines = 0;
  std::uint32_t crc = 0;  ///< of those bytes, if it was asked for
};

/// Whether a file of that name is a conductor's, which gathers those of jobs (gathered_files.hpp).
bool is_gathering(std::string_view name);

class JournalFile {
 public:
  /// Throws std::system_error when it cannot be opened; nothing when it is not there, if it may be gone.
  enum class Missing { fails, may_be };
  static std::optional<JournalFile> open(const std::filesystem::path& path, Missing missing);

  /// Whether its first `bytes` have that checksum.
  [[nodiscard]] bool begins_with(std::uint64_t bytes, std::uint32_t crc);
  /// Walks over the whole lines from the mark on, which moves behind them. `first` is called before the first
  /// one. Throws as for_each_line does.
  void read_lines(ReadMark& mark, bool with_crc, const std::function<void()>& first,
                  const std::function<void(const JournalLine&)>& take);

 private:
  JournalFile(std::filesystem::path path, FileDescriptor file)
      : path_(std::move(path)), file_(std::move(file)) {}
  /// Appends up to `most` bytes from `offset` on; false at the end of the file.
  bool append(std::string& text, std::uint64_t offset, std::size_t most) const;

  std::filesystem::path path_;
  FileDescriptor file_;
};

/// The same of a file that was found in the journal: nothing when it has been gathered since.
std::optional<JournalFile> open_journal_file(const std::filesystem::path& path);

}  // namespace kernmill
