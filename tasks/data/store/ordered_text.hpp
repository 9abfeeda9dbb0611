#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/data/store/scratch_file.hpp"

namespace kernmill::tasks {

/// A rank's part of a text that all ranks write together. What is longer than `memory` bytes lies in a
/// scratch file. Throws TaskError when that cannot be written or read.
class OrderedText {
 public:
  explicit OrderedText(Scratch scratch, std::uint64_t memory = std::uint64_t{16} << 20)
      : scratch_(std::move(scratch)), memory_(memory) {}

  void append(std::string_view more);
  [[nodiscard]] std::uint64_t size() const { return in_file_ + last_.size(); }
  /// Calls `work` with all of it, piece by piece, and how many bytes are in front of the piece.
  using Work = std::function<void(std::uint64_t offset, std::string_view piece)>;
  void each_piece(const Work& work) const;

 private:
  Scratch scratch_;
  std::uint64_t memory_;
  std::unique_ptr<ScratchFile> file_;
  std::uint64_t in_file_ = 0;
  std::string last_;
};

/// Collective. Writes the ranks' texts one after another, in parallel, into a file that is there whole, or
/// not at all.
void write_in_rank_order(const Communicator& comm, const std::filesystem::path& file,
                         const OrderedText& text);

}  // namespace kernmill::tasks
