#pragma once
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/data/read/input_file.hpp"

namespace kernmill::tasks {

/// Where the last record ends that is whole, or the first one that ends at `limit` or behind it. `text`
/// begins with a record; records are lines, but for line breaks in quotes where `quotes` says so. 0 when no
/// record of it is whole.
std::size_t cut_at_record(std::string_view text, std::size_t limit, bool quotes = true);

/// Text files one behind the other, as records. Their bytes are split evenly over the ranks; which of them
/// lie inside quotes is found out together, so that no record is split. Read in chunks.
class RecordFiles {
 public:
  struct File {
    std::shared_ptr<const InputFile> file;
    std::uint64_t data_begin = 0;  ///< in bytes, behind a header
    std::uint64_t data_line = 1;
  };
  /// A rank's bytes of one file: the records that begin in them are its own.
  struct Piece {
    std::size_t file = 0;
    std::uint64_t begin = 0, end = 0;
    std::uint64_t first_line = 1;
    bool in_quotes = false;
  };

  RecordFiles(std::vector<File> files, bool quotes) : files_(std::move(files)), quotes_(quotes) {}
  /// How much is read at a time; tests make it small.
  std::uint64_t chunk_bytes = std::uint64_t{1} << 20;

  [[nodiscard]] const std::vector<File>& files() const { return files_; }
  /// Collective.
  [[nodiscard]] std::vector<Piece> pieces(const Communicator& comm) const;
  /// Calls `work` with the whole records that begin in the piece, a chunk at a time, and the line of the
  /// first; it answers with the line behind them. Throws TaskError for a record without an end.
  using Work = std::function<std::uint64_t(std::string_view records, std::uint64_t first_line)>;
  void each_chunk(const Piece& piece, const Work& work) const;

 private:
  void find_first_record(Piece& piece) const;

  std::vector<File> files_;
  bool quotes_;
};

}  // namespace kernmill::tasks
