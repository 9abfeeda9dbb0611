#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

#include "kernmill/storage/sealed/scratch_cipher.hpp"

namespace kernmill::tasks {

/// Where a task keeps for a while what does not fit into memory.
struct Scratch {
  std::filesystem::path directory = ".";
  std::optional<storage::Key> key{};  ///< what is kept there is encrypted
};

/// A file without a name, so that nothing is left of it. Throws TaskError: what it cannot do, where, and why.
class ScratchFile {
 public:
  explicit ScratchFile(const Scratch& scratch);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  /// A byte may be written once in each generation, and is read in the one that it was written in.
  void write(std::uint64_t offset, std::span<const std::byte> bytes, std::uint32_t generation = 0);
  void read(std::uint64_t offset, std::span<std::byte> bytes, std::uint32_t generation = 0) const;

 private:
  void write_plain(std::uint64_t offset, std::span<const std::byte> bytes) const;

  std::filesystem::path directory_;
  std::optional<storage::ScratchCipher> cipher_;
  int fd_;
};

}  // namespace kernmill::tasks
