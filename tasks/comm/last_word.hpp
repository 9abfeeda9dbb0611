#pragma once
#include <chrono>
#include <optional>

#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/comm/failure.hpp"

namespace kernmill::tasks {

/// How the ranks of a program end together even when one fails where the others do not: an agreement with a
/// time limit, on a channel of its own, so that a rank stuck in another collective does not confuse it.
class LastWord {
 public:
  explicit LastWord(const Communicator& world) : channel_(world.handle()) {}

  /// Called by every rank when its work has ended, one way or the other. Returns the lowest rank's failure on
  /// every rank (or none); nullopt, only on a rank that failed, when the others did not come in time.
  [[nodiscard]] std::optional<Failure> exchange(const Failure& own, std::chrono::seconds patience) const;

 private:
  Communicator channel_;
};

}  // namespace kernmill::tasks
