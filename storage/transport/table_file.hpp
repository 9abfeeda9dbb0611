#pragma once
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <mpi.h>

#include "kernmill/storage/transport/choice.hpp"
#include "kernmill/storage/transport/hints.hpp"
#include "kernmill/storage/transport/rounds.hpp"

/// Private to storage/: the bytes of the tables of one file, on their way to and from it.
namespace kernmill::storage {

/// Bytes of a table.
struct Place {
  std::string dataset;       ///< its path in the HDF5 file
  std::uint64_t begin = 0;   ///< where that begins in the file
  std::uint64_t offset = 0;  ///< in the dataset
};

/// An open file whose structure is there. With mpiio every method is collective: ranks call them in the same
/// order, for the same datasets, and who has nothing gives an empty span. What fails is told to the rank that
/// it failed on, when all have been through: a rank that has failed must go on to take part.
class TableFile {
 public:
  virtual ~TableFile() = default;
  TableFile(const TableFile&) = delete;
  TableFile& operator=(const TableFile&) = delete;

  /// The pieces in which this rank's bytes of a dataset are written: as many for every rank where that
  /// matters, empty ones among them.
  [[nodiscard]] virtual std::vector<Extent> rounds_to_write(const Extent& own) const = 0;
  [[nodiscard]] virtual std::vector<Extent> rounds_to_read(const Extent& own) const = 0;
  virtual void write(const Place& at, std::span<const std::byte> bytes) = 0;
  virtual void read(const Place& at, std::span<std::byte> out) = 0;
  /// What has been written is on disk.
  virtual void sync() = 0;
  /// What MPI-IO made of the hints; nothing of posix.
  [[nodiscard]] virtual Hints hints() const { return {}; }

 protected:
  TableFile() = default;
};

/// How to open one.
struct TableFileOptions {
  TransportChoice choice{};
  TransportSettings settings{};
};

/// By pread and pwrite, one rank's.
std::unique_ptr<TableFile> open_posix(const std::filesystem::path& file, const std::filesystem::path& named);

/// Collective where the choice is mpiio, and then it throws on every rank when it does on any. `datasets`:
/// the paths of all that hold anything.
std::unique_ptr<TableFile> open_tables(MPI_Comm comm, const std::filesystem::path& file,
                                       const std::filesystem::path& named,
                                       const std::vector<std::string>& datasets,
                                       const TableFileOptions& options, Purpose purpose);

}  // namespace kernmill::storage
