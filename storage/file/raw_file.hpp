#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

/// Private to storage/: a file's bytes at their places, without HDF5.
namespace kernmill::storage {

/// An open file. Reads and writes name their place, so that threads may share it; each throws Error, which
/// calls the file `named`.
class RawFile {
 public:
  enum class Access { read, write };
  RawFile(const std::filesystem::path& file, const std::filesystem::path& named, Access access);
  ~RawFile();
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;

  void read(std::uint64_t offset, std::span<std::byte> out) const;
  void write(std::uint64_t offset, std::span<const std::byte> bytes) const;
  /// Lets the disk begin with what was written there, so that `sync` has less to wait for. It never fails.
  void start_sync(std::uint64_t offset, std::uint64_t bytes) const noexcept;
  void sync() const;
  [[nodiscard]] std::uint64_t size() const;
  /// Whether a file of this name is still this one.
  [[nodiscard]] bool is(const std::filesystem::path& file) const;
  [[nodiscard]] const std::filesystem::path& name() const { return named_; }

 private:
  std::filesystem::path named_;
  int fd_;
};

}  // namespace kernmill::storage
