#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "kernmill/storage/checkpoint/checkpoint.hpp"
#include "kernmill/storage/sealed/sealed_table.hpp"

/// Private to storage/: who holds what of a checkpoint's tensors, and who writes which chunk of them.
namespace kernmill::storage {

/// What one rank writes at a stretch: sixteen blocks of a sealed table.
inline constexpr std::uint64_t chunk_bytes = 16 * block_bytes;

/// A box and the lowest rank that holds it.
struct HeldBox {
  Box box;
  int rank = 0;
};

/// The boxes of a tensor: each element is in exactly one of them.
struct TensorLayout {
  std::string name;
  std::vector<std::uint64_t> shape;
  Element type = Element::f64;
  std::vector<HeldBox> boxes{};
  [[nodiscard]] std::uint64_t elements() const;
};
using Layout = std::vector<TensorLayout>;

/// Throws Error when a box goes beyond its shape, or its numbers do not fit it.
void require_sound(std::span<const TensorBox> boxes);
/// The boxes without their data.
std::string description_of(std::span<const TensorBox> boxes);
/// From the descriptions of all ranks, in their order. Throws Error where shapes or types differ.
Layout layout_from(const std::vector<std::string>& descriptions);
/// Throws Error where boxes overlap, or leave a gap.
void require_whole(const Layout& layout);

/// A chunk that this rank writes.
struct OwnedChunk {
  std::size_t tensor = 0;
  std::uint64_t offset = 0;  ///< of its first byte in the tensor's table
  std::uint64_t at = 0;      ///< of its first byte in the staging area
  std::uint64_t bytes = 0;   ///< fewer than chunk_bytes at the end of a tensor
};

/// Elements that go from a box to a chunk's staging area.
struct BoxPart {
  std::size_t tensor = 0, box = 0;
  std::uint64_t begin = 0, end = 0;  ///< the chunk's elements; the box has some of them
  std::uint64_t at = 0;  ///< the byte where `begin` lies in the staging area of the chunk's writer
};

/// What one rank does. A chunk whose elements come from several ranks is written by one of them, in turn.
/// Both ends of a message list its parts in the same order.
struct ChunkPlan {
  std::vector<OwnedChunk> owned;
  std::uint64_t staging_bytes = 0;
  std::vector<BoxPart> kept;                     ///< from this rank to itself
  std::map<int, std::vector<BoxPart>> sent;      ///< by receiver
  std::map<int, std::vector<BoxPart>> received;  ///< by sender
};
ChunkPlan plan_chunks(const Layout& layout, int rank);

}  // namespace kernmill::storage
