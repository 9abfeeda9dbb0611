#pragma once
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "kernmill/exec/pack/pack.hpp"

namespace kernmill::exec {

/// Who is next in a packed element. Those that need all of its memory come last, each of them alone.
class PackQueue {
 public:
  explicit PackQueue(const std::vector<PackedInstance>& instances);
  void add(const PackedInstance& instance);
  /// The next instance; nothing when it has to wait for others to end, or there is none.
  std::optional<PackedInstance> next(std::size_t running);
  void clear();
  [[nodiscard]] bool empty() const { return shared_.empty() && alone_.empty(); }

 private:
  std::deque<PackedInstance> shared_, alone_;
  bool alone_runs_ = false;
};

}  // namespace kernmill::exec
