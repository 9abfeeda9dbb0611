#include "kernmill/storage/checkpoint/checkpoint_layout.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/storage/file/packed.hpp"
#include "kernmill/storage/hdf5/hdf5.hpp"

namespace kernmill::storage {
namespace {

std::string ranks_text(const std::set<int>& ranks) {
  return fmt::format("{} {}", ranks.size() == 1 ? "rank" : "ranks", fmt::join(ranks, ", "));
}

std::string text_of(const Box& box) {
  std::vector<std::string> sides;
  for (std::size_t i = 0; i < box.offset.size(); ++i)
    sides.push_back(fmt::format("{}:{}", box.offset[i], box.offset[i] + box.extent[i]));
  return fmt::format("[{}]", fmt::join(sides, ", "));
}

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw Error(fmt::format("checkpoint: tensor '{}': {}", name, why));
}

void require_sound(const TensorBox& part) {
  const std::size_t dimensions = part.shape.size();
  if (part.name.empty() || part.name.find('/') != std::string::npos)
    refuse(part.name, "a name must have a letter, and no '/'");
  if (dimensions == 0 || part.box.offset.size() != dimensions || part.box.extent.size() != dimensions)
    refuse(part.name, "shape, offset and extent have to have as many dimensions, one at least");
  for (std::size_t i = 0; i < dimensions; ++i)
    if (part.box.extent[i] > part.shape[i] || part.box.offset[i] > part.shape[i] - part.box.extent[i])
      refuse(part.name, fmt::format("the box {} goes beyond the shape ({})", text_of(part.box),
                                    fmt::join(part.shape, " x ")));
  if (volume_of(part.box) != part.data.size())
    refuse(part.name,
           fmt::format("the box {} and its {} numbers do not fit", text_of(part.box), part.data.size()));
}

/// Brings the ranks' boxes together, from rank 0 on: so each distinct box keeps its lowest rank.
class Collected {
 public:
  void add(int rank, std::string_view bytes) {
    Unpacker unpacker(bytes);
    std::uint64_t count = 0;
    for (unpacker.get(count); count > 0; --count) {
      TensorLayout read;
      Box box;
      unpacker.get(read.name);
      unpacker.get(read.shape);
      unpacker.get(read.type);
      unpacker.get(box.offset);
      unpacker.get(box.extent);
      add(rank, read, std::move(box));
    }
  }
  [[nodiscard]] Layout take() { return std::move(layout_); }

 private:
  void add(int rank, const TensorLayout& read, Box box) {
    const auto [found, is_new] = by_name_.try_emplace(read.name, layout_.size());
    if (is_new) {
      layout_.push_back(read);
      first_holder_.push_back(rank);
    }
    TensorLayout& tensor = layout_[found->second];
    if (tensor.shape != read.shape)
      refuse(read.name,
             fmt::format("its shape is ({}) on rank {}, and ({}) on rank {}", fmt::join(tensor.shape, " x "),
                         first_holder_[found->second], fmt::join(read.shape, " x "), rank));
    if (tensor.type != read.type)
      refuse(read.name, fmt::format("its type is {} on rank {}, and {} on rank {}", to_string(tensor.type),
                                    first_holder_[found->second], to_string(read.type), rank));
    if (volume_of(box) == 0) return;
    const auto key = std::tuple(found->second, box.offset, box.extent);
    if (seen_.insert(key).second) tensor.boxes.push_back({std::move(box), rank});
  }

  Layout layout_;
  std::vector<int> first_holder_;
  std::map<std::string, std::size_t> by_name_;
  std::set<std::tuple<std::size_t, std::vector<std::uint64_t>, std::vector<std::uint64_t>>> seen_;
};

void require_disjoint(const TensorLayout& tensor) {
  for (std::size_t i = 0; i < tensor.boxes.size(); ++i)
    for (std::size_t j = i + 1; j < tensor.boxes.size(); ++j)
      if (overlap(tensor.boxes[i].box, tensor.boxes[j].box))
        refuse(tensor.name,
               fmt::format("{} of rank {} and {} of rank {} overlap", text_of(tensor.boxes[i].box),
                           tensor.boxes[i].rank, text_of(tensor.boxes[j].box), tensor.boxes[j].rank));
}

void require_whole(const TensorLayout& tensor) {
  std::uint64_t held = 0;
  std::set<int> ranks;
  for (const HeldBox& part : tensor.boxes) {
    held += volume_of(part.box);
    ranks.insert(part.rank);
  }
  if (held == tensor.elements()) return;
  refuse(tensor.name,
         fmt::format("no rank holds {} of its {} elements; parts of it are on {}", tensor.elements() - held,
                     tensor.elements(), ranks.empty() ? "no rank" : ranks_text(ranks)));
}

/// The distinct ranks that hold elements of a chunk, ascending.
std::vector<int> holders_of(const TensorLayout& tensor, const std::vector<Runs>& runs, std::uint64_t begin,
                            std::uint64_t end, std::vector<std::size_t>& boxes) {
  std::vector<int> ranks;
  boxes.clear();
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!runs[i].meets(begin, end)) continue;
    boxes.push_back(i);
    ranks.push_back(tensor.boxes[i].rank);
  }
  std::sort(ranks.begin(), ranks.end());
  ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
  return ranks;
}

void plan_tensor(const Layout& layout, std::size_t index, int rank, ChunkPlan& plan) {
  const TensorLayout& tensor = layout[index];
  const auto is_mine = [rank](const HeldBox& part) { return part.rank == rank; };
  if (std::none_of(tensor.boxes.begin(), tensor.boxes.end(), is_mine)) return;
  std::vector<Runs> runs;
  for (const HeldBox& part : tensor.boxes) runs.emplace_back(tensor.shape, part.box);
  std::vector<std::size_t> boxes;
  const std::uint64_t element_bytes = size_of(tensor.type), per_chunk = chunk_bytes / element_bytes;
  for (std::uint64_t begin = 0; begin < tensor.elements(); begin += per_chunk) {
    const std::uint64_t end = std::min(begin + per_chunk, tensor.elements());
    const std::vector<int> ranks = holders_of(tensor, runs, begin, end, boxes);
    const int writer = ranks[(begin / per_chunk + index) % ranks.size()];
    for (const std::size_t box : boxes) {
      const int holder = tensor.boxes[box].rank;
      const BoxPart part{index, box, begin, end, plan.staging_bytes};
      if (writer == rank) {
        (holder == rank ? plan.kept : plan.received[holder]).push_back(part);
      } else if (holder == rank) {
        plan.sent[writer].push_back(part);
      }
    }
    if (writer != rank) continue;
    plan.owned.push_back({index, begin * element_bytes, plan.staging_bytes, (end - begin) * element_bytes});
    plan.staging_bytes += (end - begin) * element_bytes;
  }
}

}  // namespace

std::uint64_t TensorLayout::elements() const {
  return hdf5::elements_of(shape);
}

void require_sound(std::span<const TensorBox> boxes) {
  for (const TensorBox& part : boxes) require_sound(part);
}

std::string description_of(std::span<const TensorBox> boxes) {
  Packer packer;
  packer.put(std::uint64_t{boxes.size()});
  for (const TensorBox& part : boxes) {
    packer.put(part.name);
    packer.put(part.shape);
    packer.put(part.data.type());
    packer.put(part.box.offset);
    packer.put(part.box.extent);
  }
  return packer.take();
}

Layout layout_from(const std::vector<std::string>& descriptions) {
  Collected collected;
  for (std::size_t rank = 0; rank < descriptions.size(); ++rank)
    collected.add(static_cast<int>(rank), descriptions[rank]);
  return collected.take();
}

void require_whole(const Layout& layout) {
  for (const TensorLayout& tensor : layout) {
    require_disjoint(tensor);
    require_whole(tensor);
  }
}

ChunkPlan plan_chunks(const Layout& layout, int rank) {
  ChunkPlan plan;
  for (std::size_t i = 0; i < layout.size(); ++i) plan_tensor(layout, i, rank, plan);
  return plan;
}

}  // namespace kernmill::storage
