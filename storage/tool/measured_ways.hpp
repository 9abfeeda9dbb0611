#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <mpi.h>

#include "kernmill/storage/dataset/dataset.hpp"

/// Private to the measuring: one way to write and read rows, beside others.
namespace kernmill::storage::tool {

/// The rows that are written and read: as many as make the bytes that were asked for, dealt evenly. Only a
/// part of a rank's is in memory; it is written again and again.
struct MeasuredRows {
  static constexpr std::uint64_t columns = 1024, row_bytes = columns * sizeof(double);
  MeasuredRows(MPI_Comm comm, std::uint64_t bytes);

  std::uint64_t rows;
  IndexRange own;
  std::uint64_t rows_at_once;    ///< of a rank; the same for all
  std::uint64_t pieces;          ///< how often so many are written or read; the same for all
  std::vector<double> features;  ///< of `rows_at_once`
  std::vector<double> target;    ///< likewise
  /// A rank's rows of a piece; perhaps none.
  [[nodiscard]] IndexRange piece(std::uint64_t number) const;
  [[nodiscard]] std::span<double> features_of(IndexRange piece) {
    return std::span(features).first(piece.count() * columns);
  }
  [[nodiscard]] std::span<double> target_of(IndexRange piece) {
    return std::span(target).first(piece.count());
  }
};

/// Every method is collective, and throws Error on all ranks or none. A file of it lies at `file`.
class Way {
 public:
  virtual ~Way() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  /// Writes a file, up to where only durability lacks.
  virtual void write(const std::filesystem::path& file, MeasuredRows& rows) = 0;
  /// Makes it durable, reads it back, and gives it its name.
  virtual void finish() = 0;
  virtual void open(const std::filesystem::path& file) = 0;
  virtual void read(MeasuredRows& rows) = 0;
  /// Single rows of all ranks', each rank its own.
  virtual void read_rows(std::span<const std::uint64_t> numbers, MeasuredRows& rows) = 0;
  virtual void close() = 0;
  /// A file of next to nothing comes and gets its name.
  virtual void make_small(const std::filesystem::path& file) = 0;
};

std::unique_ptr<Way> raw_way(MPI_Comm comm);
std::unique_ptr<Way> dataset_way(MPI_Comm comm, Transport transport);

}  // namespace kernmill::storage::tool
