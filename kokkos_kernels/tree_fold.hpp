#pragma once
#include <utility>
#include <vector>

#include "kernmill/kernels/reduce.hpp"

namespace kernmill::kernels {

/// Adds up vectors, one a leaf, along one fixed binary tree: leaves 2i and 2i + 1 first, then pairs of pairs,
/// whoever holds them. Leaves come in order of their number, from any first to any last; what is left are the
/// maximal whole subtrees of that run, which somebody else folds on with its own. The sum has the same bits
/// for every way to cut the leaves into runs.
template <class Space, class T = double>
class TreeFold {
 public:
  /// A whole subtree: leaves [index << level, (index + 1) << level).
  struct Node {
    unsigned level = 0;
    std::uint64_t index = 0;
    Vector<Space, T> sum;
  };

  explicit TreeFold(Space space = Space()) : space_(std::move(space)) {}

  /// Takes `node` in, and folds it with its left sibling as far as that is there. The sum is the fold's from
  /// then on.
  void add(Node node) {
    while (!nodes_.empty() && node.index % 2 == 1 && nodes_.back().level == node.level &&
           nodes_.back().index + 1 == node.index) {
      kernels::add<Space, T>(space_, node.sum, nodes_.back().sum);
      free_.push_back(node.sum);
      node = Node{node.level + 1, node.index / 2, nodes_.back().sum};
      nodes_.pop_back();
    }
    nodes_.push_back(std::move(node));
  }

  /// A vector of that size to be filled and added: one that was folded away, or a new one.
  Vector<Space, T> vector(std::size_t size) {
    while (!free_.empty() && free_.back().extent(0) != size)
      free_.pop_back();  // none of these is wanted again
    if (free_.empty()) return make_vector<Space, T>(size);
    Vector<Space, T> out = free_.back();
    free_.pop_back();
    return out;
  }

  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  void clear() {
    for (Node& node : nodes_) free_.push_back(node.sum);
    nodes_.clear();
  }

 private:
  Space space_;
  std::vector<Node> nodes_;
  std::vector<Vector<Space, T>> free_;
};

/// The maximal whole subtrees of leaves [first, last) in order, each as level and index: TreeFold's nodes.
inline std::vector<std::pair<unsigned, std::uint64_t>> whole_subtrees(std::uint64_t first,
                                                                      std::uint64_t last) {
  std::vector<std::pair<unsigned, std::uint64_t>> nodes;
  for (std::uint64_t leaf = first; leaf < last; ++leaf) {
    std::pair<unsigned, std::uint64_t> node{0, leaf};
    while (!nodes.empty() && node.second % 2 == 1 && nodes.back().first == node.first &&
           nodes.back().second + 1 == node.second) {
      node = {node.first + 1, node.second / 2};
      nodes.pop_back();
    }
    nodes.push_back(node);
  }
  return nodes;
}

}  // namespace kernmill::kernels
