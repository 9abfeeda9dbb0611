#pragma once
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <mpi.h>

#include "kernmill/storage/file/agreement.hpp"
#include "kernmill/storage/file/raw_file.hpp"
#include "kernmill/storage/transport/table_file.hpp"

/// Private to storage/.
namespace kernmill::storage {

/// Bytes of this rank at their place in a file.
struct PlacedBytes {
  std::uint64_t offset = 0;
  std::span<const std::byte> bytes;
  [[nodiscard]] Extent extent() const { return {offset, offset + bytes.size()}; }
};

/// Pieces that lie anywhere, as one datatype.
class Scattered {
 public:
  Scattered(const std::vector<int>& lengths, const std::vector<MPI_Aint>& at) {
    MPI_Type_create_hindexed(static_cast<int>(lengths.size()), lengths.data(), at.data(), MPI_BYTE, &type_);
    MPI_Type_commit(&type_);
  }
  ~Scattered() { MPI_Type_free(&type_); }
  Scattered(const Scattered&) = delete;
  Scattered& operator=(const Scattered&) = delete;
  [[nodiscard]] MPI_Datatype get() const { return type_; }

 private:
  MPI_Datatype type_ = MPI_DATATYPE_NULL;
};

/// Ranks write one file together through MPI-IO while they do something else: nonblocking collective writes,
/// round by round, that get on whenever a rank asks how far they are.
class BackgroundWrite {
 public:
  /// Collective. `places`: where this rank has something to write, ascending. `all`: from the first byte of
  /// anybody's to the last. Throws on every rank when it does on any.
  BackgroundWrite(MPI_Comm comm, const std::filesystem::path& file, const std::filesystem::path& named,
                  const TableFileOptions& options, std::vector<Extent> places, const Extent& all);
  /// Collective; where others do not come it gives the file up.
  ~BackgroundWrite();
  BackgroundWrite(const BackgroundWrite&) = delete;
  BackgroundWrite& operator=(const BackgroundWrite&) = delete;

  /// By every rank, when it likes: what belongs into the places. It stays there until all is written.
  void start(std::vector<PlacedBytes> pieces);
  /// Whether this rank's part is done, after trying for `budget` at most (and once at least; one write may
  /// take longer). Until then others may need its help.
  bool advance(std::chrono::nanoseconds budget);
  [[nodiscard]] bool done() const { return request_ == MPI_REQUEST_NULL && next_ == rounds_.size(); }
  /// Why it came to nothing here; empty: it did not.
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  void open(const std::filesystem::path& file, const Hints& hints);
  void set_view();
  void begin_round(const Extent& window);
  void let_disk_begin() const;
  void note(const char* what, int code);

  OwnComm comm_;
  std::filesystem::path named_;
  std::vector<Extent> places_;
  std::vector<PlacedBytes> pieces_;
  std::vector<Extent> rounds_;
  std::size_t next_ = 0;
  MPI_File file_ = MPI_FILE_NULL;
  std::unique_ptr<RawFile> own_bytes_;  ///< where each rank writes its own: to let the disk begin with them
  std::optional<Scattered> memory_;     ///< of the round that is under way
  MPI_Request request_ = MPI_REQUEST_NULL;
  std::string error_;
};

}  // namespace kernmill::storage
