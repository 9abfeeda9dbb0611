#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/tasks/comm/communicator.hpp"

/// Files that the benchmarks of storage/ work on. Every rank calls these.
namespace kernmill::tasks {

/// Removes a file or a directory, when no rank needs it any more.
void remove_together(const Communicator& comm, const std::filesystem::path& file);

/// Lets nothing of a file be left in the page cache, so that the next read is one from the disk.
void forget(const Communicator& comm, const std::filesystem::path& file);

/// Seconds to write each rank's bytes at `begin` into a new file, sync them and read them back; neither
/// summed nor compared. The file is removed.
double write_raw(const Communicator& comm, const std::filesystem::path& file, std::uint64_t begin,
                 std::span<const std::byte> own);

/// Rows of numbers and their class of ten, divided among the ranks: a dataset's training part.
class Digits {
 public:
  Digits(const Communicator& comm, std::uint64_t rows, std::uint64_t columns);
  /// Seconds to make the dataset, from the first call to the commit.
  double write(const std::filesystem::path& file, const std::optional<storage::Key>& key = {}) const;

  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] std::uint64_t columns() const { return schema_.features.size(); }
  [[nodiscard]] storage::IndexRange own() const { return own_; }
  [[nodiscard]] std::span<const double> features() const { return features_; }

 private:
  const Communicator& comm_;
  std::uint64_t rows_;
  storage::IndexRange own_;
  storage::Schema schema_;
  std::vector<double> features_, target_;
};

}  // namespace kernmill::tasks
