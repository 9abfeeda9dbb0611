#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "kernmill/storage/checkpoint.hpp"

/// Private to storage/: who holds what of a checkpoint's tensors, and who writes which block of them.
namespace kernmill::storage {

inline constexpr std::uint64_t elements_per_block = (std::uint64_t{1} << 20) / sizeof(double);
std::uint64_t blocks_of(std::uint64_t elements);

/// A box and the lowest rank that holds it.
struct HeldBox {
  Box box;
  int rank = 0;
};

/// The boxes of a tensor: each element is in exactly one of them.
struct TensorLayout {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::vector<HeldBox> boxes;
  [[nodiscard]] std::uint64_t elements() const;
};
using Layout = std::vector<TensorLayout>;

/// Throws Error when a box goes beyond its shape, or its numbers do not fit it.
void require_sound(std::span<const TensorBox> boxes);
/// The boxes without their data.
std::string description_of(std::span<const TensorBox> boxes);
/// From the descriptions of all ranks, in their order. Throws Error where shapes differ.
Layout layout_from(const std::vector<std::string>& descriptions);
/// Throws Error where boxes overlap, or leave a gap.
void require_whole(const Layout& layout);

/// A block that this rank writes.
struct OwnedBlock {
  std::size_t tensor = 0;
  std::uint64_t block = 0;
  std::uint64_t at = 0;        ///< where it lies in the staging area, in elements
  std::uint64_t elements = 0;  ///< fewer than elements_per_block at the end of a tensor
};

/// Elements that go from a box to a block's staging area.
struct Part {
  std::size_t tensor = 0, box = 0;
  std::uint64_t begin = 0, end = 0;  ///< the block's elements; the box has some of them
  std::uint64_t at = 0;              ///< where `begin` lies in the staging area of the block's writer
};

/// What one rank does. A block whose elements come from several ranks is written by one of them, in turn.
/// Both ends of a message list its parts in the same order.
struct BlockPlan {
  std::vector<OwnedBlock> owned;
  std::uint64_t staging_elements = 0;
  std::vector<Part> kept;                     ///< from this rank to itself
  std::map<int, std::vector<Part>> sent;      ///< by receiver
  std::map<int, std::vector<Part>> received;  ///< by sender
};
BlockPlan plan_blocks(const Layout& layout, int rank);

}  // namespace kernmill::storage
