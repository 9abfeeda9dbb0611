#pragma once
#include <cstddef>
#include <cstdint>

namespace kernmill::tasks {

/// What goes over the steps of a sequence: the first layers of a network for windows of a series.
enum class Cell { none, lstm, gru };

/// 4 of an LSTM, 3 of a GRU.
constexpr std::uint64_t gates_of(Cell cell) {
  return cell == Cell::gru ? 3 : 4;
}

/// A recurrent layer.
struct SequenceShape {
  Cell cell = Cell::lstm;
  std::size_t steps = 1;
  std::uint64_t columns = 1;  ///< of a step's input
  std::uint64_t hidden = 1;
  bool all_steps = false;  ///< whether it gives the states of all steps on, in their order, or the last alone

  [[nodiscard]] std::uint64_t inputs() const { return steps * columns; }
  [[nodiscard]] std::uint64_t outputs() const { return all_steps ? steps * hidden : hidden; }
  /// Of so many of its units: the inputs' weights and the state's; each gate of each unit has one bias.
  [[nodiscard]] std::uint64_t weights_of(std::uint64_t units) const {
    return (columns + hidden) * gates_of(cell) * units;
  }
};

}  // namespace kernmill::tasks
