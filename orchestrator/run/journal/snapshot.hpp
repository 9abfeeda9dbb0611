#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/run/journal/fold.hpp"
#include "kernmill/run/journal/journal_file.hpp"

/// Private to run/journal: a fold of the journal, put down so that the next reader need not read what it
/// stands for. ADR 0009 says when it is believed.
namespace kernmill {

/// What a snapshot stands for of one file.
struct CoveredFile {
  std::string name;
  ReadMark mark;
  FileIdentity as_read;  ///< before it was read
};

/// Where the snapshot of a journal lies.
std::filesystem::path snapshot_path(const std::filesystem::path& journal);

/// Puts it down durably, in the place of an older one. The state's rows are finished. Throws
/// std::system_error.
void write_snapshot(const std::filesystem::path& journal, const std::vector<CoveredFile>& covered,
                    const FoldState& state);

/// A snapshot that is as it was written. What is damaged or of another version is none.
class SnapshotFile {
 public:
  static std::optional<SnapshotFile> open(const std::filesystem::path& journal);
  [[nodiscard]] const std::vector<CoveredFile>& covered() const { return covered_; }
  /// The state; of plain commits their counts alone. Nothing when it is damaged.
  [[nodiscard]] std::optional<FoldState> state() const;
  /// Adds the rows of plain commits. False when they are damaged.
  [[nodiscard]] bool add_rows(FoldState& state) const;

 private:
  struct Part {
    std::uint64_t offset = 0, bytes = 0;
    std::string crc;
  };
  explicit SnapshotFile(FileDescriptor file) : file_(std::move(file)) {}
  [[nodiscard]] bool read_index();
  [[nodiscard]] std::optional<std::string> text_of(const Part& part) const;
  FileDescriptor file_;
  std::vector<CoveredFile> covered_;
  Part head_, rows_;
};

}  // namespace kernmill
