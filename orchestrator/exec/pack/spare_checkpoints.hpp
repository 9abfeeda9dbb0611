#pragma once
#include <filesystem>

#include "kernmill/exec/attempt/attempt.hpp"

namespace kernmill::exec {

/// The folders of checkpoints of the instances that a slot runs one after another. Most leave theirs empty,
/// and the next instance takes it over by a new name: to make and remove two directories for each would cost
/// as much as a short instance itself.
class SpareCheckpoints {
 public:
  SpareCheckpoints() = default;
  ~SpareCheckpoints() { remove(); }
  SpareCheckpoints(const SpareCheckpoints&) = delete;
  SpareCheckpoints& operator=(const SpareCheckpoints&) = delete;

  /// Makes the folder of an instance that is about to start; what an earlier attempt has left there stays.
  /// Throws std::system_error that names the path.
  void give(const Attempt& attempt);
  /// Takes that of an instance that is done: nobody needs what is in it.
  void take(const Attempt& attempt);

 private:
  void remove() noexcept;
  std::filesystem::path spare_;  ///< an empty one, alone in its instance's folder; empty: none
};

}  // namespace kernmill::exec
