#pragma once
#include <span>
#include <string>
#include <vector>

#include "kernmill/base/large_memory.hpp"
#include "kernmill/storage/checkpoint/checkpoint_layout.hpp"

/// Private to storage/: how the elements of a chunk come to the rank that writes it.
namespace kernmill::storage {

class Exchange {
 public:
  explicit Exchange(MPI_Comm comm) : comm_(comm) {}
  /// Collective. Learns who holds what; little work when nothing has changed since the last time. Throws
  /// Error on every rank when the boxes are not what a checkpoint needs.
  void prepare(std::span<const TensorBox> own);
  /// Collective. Fills the staging area with the chunks that this rank writes.
  void run(std::span<const TensorBox> own, LargeVector<std::byte>& staging) const;

  [[nodiscard]] const Layout& layout() const { return layout_; }
  [[nodiscard]] const ChunkPlan& plan() const { return plan_; }

 private:
  [[nodiscard]] bool nothing_new(const std::string& description) const;
  void find_sources(std::span<const TensorBox> own);
  /// Calls visit(first byte in the staging area of the chunk's writer, first in the box, how many).
  template <class Visit>
  void each_run(const BoxPart& part, const Visit& visit) const;
  [[nodiscard]] std::uint64_t bytes_in(const std::vector<BoxPart>& parts) const;

  MPI_Comm comm_;
  std::string description_;
  Layout layout_;
  ChunkPlan plan_;
  std::vector<std::vector<std::size_t>> sources_;  ///< [tensor][box]: which of this rank's boxes it is
};

}  // namespace kernmill::storage
