#pragma once
#include "kernmill/kernels/math.hpp"
#include "kernmill/kernels/types.hpp"

/// One step of a recurrent cell, and the step back. Rows are sequences; arrays of all steps have the steps of
/// a row one after the other: row i of step t is i * steps + t. Gates stand side by side, as PyTorch orders
/// them: input, forget, cell and output of an LSTM; reset, update and new of a GRU.
namespace kernmill::kernels {

/// What the steps of a pass leave for the way back. Of h hidden units and g gates:
template <class Space, class T = double>
struct CellMemory {
  std::size_t steps = 0;
  /// rows * steps x g h: the inputs' share of each gate with its bias, then the gate's value.
  Matrix<Space, T> gates;
  /// rows * steps x h: the state in front of each step; zeros in front of the first.
  Matrix<Space, T> before;
  /// rows * steps x h: an LSTM's cell behind each step; of a GRU, what the state gives to the new gate.
  Matrix<Space, T> kept;
};

/// Where a step's state goes: `state` (rows x h), the memory, and row i of `output`, from column `at` on, if
/// `output` is not empty.
template <class Space, class T = double>
struct StateOut {
  Matrix<Space, T> state, output;
  std::size_t at = 0;
};

namespace detail {

template <class Space, class T>
KOKKOS_INLINE_FUNCTION void put_state(const CellMemory<Space, T>& memory, const StateOut<Space, T>& out,
                                      std::size_t i, std::size_t t, std::size_t j, T h) {
  out.state(i, j) = h;
  if (t + 1 < memory.steps) memory.before(i * memory.steps + t + 1, j) = h;
  if (out.output.data() != nullptr) out.output(i, out.at + j) = h;
}

}  // namespace detail

/// c' = f c + i g, h' = o tanh(c'). `recurrent` (rows x 4 h) is what the state gives to the gates.
template <class Space, class T = double>
void lstm_step(const Space& space, std::size_t t, ConstMatrix<Space, T> recurrent,
               const CellMemory<Space, T>& memory, const StateOut<Space, T>& out) {
  const std::size_t h = memory.before.extent(1);
  Kokkos::parallel_for(
      "kernmill_lstm_step", Range<Space>(space, 0, recurrent.extent(0) * h),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / h, j = index % h, row = i * memory.steps + t;
        const auto& z = memory.gates;
        const T in = math::sigmoid(z(row, j) + recurrent(i, j));
        const T forget = math::sigmoid(z(row, h + j) + recurrent(i, h + j));
        const T cell = math::tanh(z(row, 2 * h + j) + recurrent(i, 2 * h + j));
        const T give = math::sigmoid(z(row, 3 * h + j) + recurrent(i, 3 * h + j));
        z(row, j) = in;
        z(row, h + j) = forget;
        z(row, 2 * h + j) = cell;
        z(row, 3 * h + j) = give;
        if (t == 0) memory.before(row, j) = 0;
        const T c = (t == 0 ? T(0) : forget * memory.kept(row - 1, j)) + in * cell;
        memory.kept(row, j) = c;
        detail::put_state<Space, T>(memory, out, i, t, j, give * math::tanh(c));
      });
}

/// The way back through a step. `delta` (rows x h) is the gradient by h'; `cell_delta` (rows x h) that by c',
/// which becomes that by c. gate_delta (rows * steps x 4 h) gets the gradient by what goes into the gates,
/// and step_delta (rows x 4 h) the same of this step.
template <class Space, class T = double>
void backward_lstm_step(const Space& space, std::size_t t, const CellMemory<Space, T>& memory,
                        ConstMatrix<Space, T> delta, Matrix<Space, T> cell_delta, Matrix<Space, T> gate_delta,
                        Matrix<Space, T> step_delta) {
  const std::size_t h = memory.before.extent(1);
  Kokkos::parallel_for(
      "kernmill_backward_lstm_step", Range<Space>(space, 0, delta.extent(0) * h),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / h, j = index % h, row = i * memory.steps + t;
        const auto& z = memory.gates;
        const T in = z(row, j), forget = z(row, h + j), cell = z(row, 2 * h + j), give = z(row, 3 * h + j);
        const T squashed = math::tanh(T(memory.kept(row, j)));
        const T c_delta = cell_delta(i, j) + delta(i, j) * give * (1 - squashed * squashed);
        const T c_before = t == 0 ? T(0) : memory.kept(row - 1, j);
        const T gates[4] = {c_delta * cell * in * (1 - in), c_delta * c_before * forget * (1 - forget),
                            c_delta * in * (1 - cell * cell), delta(i, j) * squashed * give * (1 - give)};
        for (std::size_t k = 0; k < 4; ++k) gate_delta(row, k * h + j) = step_delta(i, k * h + j) = gates[k];
        cell_delta(i, j) = c_delta * forget;
      });
}

/// n = tanh(z_n + r (state's share)), h' = (1 - u) n + u h. `recurrent` (rows x 3 h) is what the state gives
/// to the gates.
template <class Space, class T = double>
void gru_step(const Space& space, std::size_t t, ConstMatrix<Space, T> recurrent,
              const CellMemory<Space, T>& memory, const StateOut<Space, T>& out) {
  const std::size_t h = memory.before.extent(1);
  Kokkos::parallel_for(
      "kernmill_gru_step", Range<Space>(space, 0, recurrent.extent(0) * h),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / h, j = index % h, row = i * memory.steps + t;
        const auto& z = memory.gates;
        const T reset = math::sigmoid(z(row, j) + recurrent(i, j));
        const T update = math::sigmoid(z(row, h + j) + recurrent(i, h + j));
        const T share = recurrent(i, 2 * h + j);
        const T fresh = math::tanh(z(row, 2 * h + j) + reset * share);
        if (t == 0) memory.before(row, j) = 0;
        z(row, j) = reset;
        z(row, h + j) = update;
        z(row, 2 * h + j) = fresh;
        memory.kept(row, j) = share;
        detail::put_state<Space, T>(memory, out, i, t, j,
                                    (1 - update) * fresh + update * memory.before(row, j));
      });
}

/// The way back through a step. `delta` (rows x h), the gradient by h', becomes that by h without what goes
/// by way of the gates. gate_delta (rows * steps x 3 h) gets the gradient by the inputs' share of the gates,
/// state_delta that by the state's, and step_delta (rows x 3 h) the latter of this step.
template <class Space, class T = double>
void backward_gru_step(const Space& space, std::size_t t, const CellMemory<Space, T>& memory,
                       Matrix<Space, T> delta, Matrix<Space, T> gate_delta, Matrix<Space, T> state_delta,
                       Matrix<Space, T> step_delta) {
  const std::size_t h = memory.before.extent(1);
  Kokkos::parallel_for(
      "kernmill_backward_gru_step", Range<Space>(space, 0, delta.extent(0) * h),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / h, j = index % h, row = i * memory.steps + t;
        const auto& z = memory.gates;
        const T reset = z(row, j), update = z(row, h + j), fresh = z(row, 2 * h + j);
        const T fresh_delta = delta(i, j) * (1 - update) * (1 - fresh * fresh);
        const T reset_delta = fresh_delta * memory.kept(row, j) * reset * (1 - reset);
        const T update_delta = delta(i, j) * (memory.before(row, j) - fresh) * update * (1 - update);
        gate_delta(row, j) = state_delta(row, j) = step_delta(i, j) = reset_delta;
        gate_delta(row, h + j) = state_delta(row, h + j) = step_delta(i, h + j) = update_delta;
        gate_delta(row, 2 * h + j) = fresh_delta;
        state_delta(row, 2 * h + j) = step_delta(i, 2 * h + j) = fresh_delta * reset;
        delta(i, j) *= update;
      });
}

/// to(i, j) = (add ? to(i, j) : 0) + from(i, at + j), of all columns of `to`.
template <class Space, class T = double>
void take_columns(const Space& space, ConstMatrix<Space, T> from, std::size_t at, bool add,
                  Matrix<Space, T> to) {
  const std::size_t columns = to.extent(1);
  Kokkos::parallel_for(
      "kernmill_take_columns", Range<Space>(space, 0, to.extent(0) * columns),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / columns, j = index % columns;
        to(i, j) = (add ? to(i, j) : T(0)) + from(i, at + j);
      });
}

}  // namespace kernmill::kernels
