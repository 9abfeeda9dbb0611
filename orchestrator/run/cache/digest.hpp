#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace kernmill {

/// Gives files their SHA-256 in 64 hex digits, and remembers it below `<runs root>/.cache/digests` by path,
/// size, time stamp (nanoseconds) and inode, so that a login node does not read terabytes twice. Any number
/// of processes on any number of machines may use one store. What cannot be remembered (no runs root yet, a
/// read-only one) is computed again the next time; nothing else follows from it. Not thread-safe.
class DigestStore {
 public:
  explicit DigestStore(const std::filesystem::path& runs_root);

  /// Throws std::system_error that names the file when it cannot be read, is no regular file, or does not
  /// stop changing while it is read.
  std::string sha256(const std::filesystem::path& file);

  /// How much was read from files to compute digests, by this object.
  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  /// What tells one content of a file from another without reading it.
  struct Stamp {
    std::uint64_t size = 0;
    std::int64_t modified = 0;  ///< ns since 1970
    std::uint64_t inode = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  struct Known {
    Stamp stamp;
    std::string digest;
  };
  static Stamp stamp_of(const std::filesystem::path& file);
  std::string read(const std::filesystem::path& file);
  [[nodiscard]] std::filesystem::path place_of(const std::filesystem::path& file) const;
  [[nodiscard]] std::optional<Known> recall(const std::filesystem::path& file) const;
  void remember(const std::filesystem::path& file, const Known& known);

  std::filesystem::path runs_root_;
  std::map<std::filesystem::path, Known> known_;
  std::uint64_t bytes_read_ = 0;
};

}  // namespace kernmill
