#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

/// Private to storage/: the bytes of a file, past HDF5. HDF5 promises where a contiguous table lies.
namespace kernmill::storage {

class BlockFile {
 public:
  enum class Mode { read, write };  ///< what is written can be read, too
  /// Errors call it `named`.
  BlockFile(const std::filesystem::path& file, std::filesystem::path named, Mode mode);
  ~BlockFile();
  BlockFile(const BlockFile&) = delete;
  BlockFile& operator=(const BlockFile&) = delete;

  void read(std::uint64_t offset, std::span<std::byte> out) const;
  void write(std::uint64_t offset, std::span<const std::byte> bytes) const;
  void sync() const;
  [[nodiscard]] std::uint64_t size() const;
  /// Whether this file still has that name.
  [[nodiscard]] bool is(const std::filesystem::path& file) const;

 private:
  std::filesystem::path named_;
  int fd_;
};

}  // namespace kernmill::storage
