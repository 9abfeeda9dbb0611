#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <system_error>

namespace kernmill {

/// Gives files their SHA-256 in 64 hex digits, and remembers it in this user's cache folder by path, size,
/// time of modification, time of change (which nobody can set back) and inode, so that a login node does not
/// read terabytes twice. A digest that was taken so soon after a change that another one could have got the
/// same time is not remembered. Any number of processes on any number of machines may use one store. What
/// cannot be remembered (no runs root yet, a read-only one) is computed again the next time; nothing else
/// follows from it. Not thread-safe.
class DigestStore {
 public:
  using Clock = std::function<std::chrono::system_clock::time_point()>;
  explicit DigestStore(const std::filesystem::path& runs_root, Clock now = std::chrono::system_clock::now);

  /// Throws std::system_error that names the file when it cannot be read, is no regular file, or does not
  /// stop changing while it is read.
  std::string sha256(const std::filesystem::path& file);

  /// Makes a hard link, as create_hard_link does, which is a change of the file for its time, and of nothing
  /// else: what is remembered of it stays so.
  void link(const std::filesystem::path& from, const std::filesystem::path& to, std::error_code& error);

  [[nodiscard]] const std::filesystem::path& runs_root() const { return runs_root_; }
  /// How much was read from files to compute digests, by this object.
  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  /// What tells one content of a file from another without reading it.
  struct Stamp {
    std::uint64_t size = 0;
    std::int64_t modified = 0;  ///< ns since 1970; whoever writes a file can set it
    std::int64_t changed = 0;   ///< the same, of content, name, links or permissions; nobody can
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

  /// Whether another change, from then on, could still get the time of this one.
  [[nodiscard]] static bool may_be_changed_unseen(const Stamp& stamp,
                                                  std::chrono::system_clock::time_point then);

  std::filesystem::path runs_root_, cache_;
  Clock now_;
  std::map<std::filesystem::path, Known> known_;
  std::uint64_t bytes_read_ = 0;
};

}  // namespace kernmill
