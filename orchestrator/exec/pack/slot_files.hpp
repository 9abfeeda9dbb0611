#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "kernmill/os/file_descriptor.hpp"

namespace kernmill::exec {

/// A log that packed instances write one after another (run/directory/slot_log.hpp).
class SlotLog {
 public:
  explicit SlotLog(std::filesystem::path file);
  /// Says whose lines follow, on a line of its own.
  void begin(const std::string& title);
  /// Adds lines of the present instance that lie in another file.
  void add(const std::filesystem::path& file);
  /// Copies the lines of the present instance.
  void copy_section(const std::filesystem::path& to) const;

 private:
  void append(const std::string& line);

  std::filesystem::path file_;
  FileDescriptor log_, text_;  ///< to append to, and to read
  std::string mark_;
  std::uintmax_t begin_ = 0;  ///< of the present instance's lines
};

/// The files of a slot, which packed instances share one after another: out.log and err.log, and a directory
/// to work in that each finds empty. Throws std::system_error that names the path.
class SlotFiles {
 public:
  explicit SlotFiles(std::filesystem::path directory);
  /// Says in the logs whose lines follow.
  void begin(const std::string& title);
  /// Makes `attempt_directory` of what the instance has left, with its lines of the logs.
  void keep(const std::filesystem::path& attempt_directory);
  /// Keeps the metrics of the present instance, which have a history, in metrics.log.
  void keep_metrics(const std::string& title) const;
  /// Empties the directory to work in.
  void clear() const;
  /// The end: leaves the logs alone.
  void close() const;
  [[nodiscard]] std::filesystem::path work() const { return directory_ / "work"; }
  [[nodiscard]] std::filesystem::path out() const { return directory_ / "out.log"; }
  [[nodiscard]] std::filesystem::path err() const { return directory_ / "err.log"; }

 private:
  std::filesystem::path directory_;
  SlotLog out_, err_;
};

}  // namespace kernmill::exec
