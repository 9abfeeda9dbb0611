#pragma once
#include <map>

#include "kernmill/storage/hdf5/hdf5.hpp"

/// Private to storage/: a file that all ranks of a communicator have open, through MPI-IO.
namespace kernmill::storage::hdf5 {

/// A contiguous dataset of it, as the bytes that it is in the file: none is converted.
class ParallelDataset {
 public:
  /// Bytes from `offset` on, which begins an element, as the end does. Collective: who has none takes part
  /// with an empty span. At most 1 GiB a call.
  void read(std::uint64_t offset, std::span<std::byte> out) const;
  void write(std::uint64_t offset, std::span<const std::byte> bytes) const;
  /// As that of the file.
  void abandon() noexcept;

 private:
  friend class ParallelFile;
  ParallelDataset(Handle handle, Handle type, Shape shape, Context context);
  void select(hid_t space, std::uint64_t first, std::uint64_t count) const;
  template <class Transfer>
  void transfer(std::uint64_t offset, std::uint64_t bytes, const char* verb, const Transfer& transfer) const;

  Handle handle_, type_;
  Shape shape_;
  std::uint64_t row_elements_, element_bytes_;
  Context context_;
};

class ParallelFile {
 public:
  enum class Access { read, write };
  /// Collective. The structure is there, and nobody changes it.
  ParallelFile(MPI_Comm comm, const std::filesystem::path& file, const std::filesystem::path& named,
               Access access, const std::map<std::string, std::string>& hints);

  [[nodiscard]] ParallelDataset open(const std::string& dataset) const;
  /// Collective. What any rank has written is on its disk.
  void sync() const;
  /// What MPI-IO made of the hints, and what else it goes by.
  [[nodiscard]] std::map<std::string, std::string> hints() const;
  /// Collective, as is the destructor where this was not called.
  void close();
  /// Gives the file up without closing it, where others do not take part any more.
  void abandon() noexcept;

 private:
  [[nodiscard]] MPI_File mpi_file() const;
  std::filesystem::path named_;
  Handle handle_;
};

}  // namespace kernmill::storage::hdf5
