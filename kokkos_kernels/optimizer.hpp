#pragma once
#include "kernmill/kernels/math.hpp"
#include "kernmill/kernels/types.hpp"

namespace kernmill::kernels {

struct Momentum {
  double learning_rate = 0.1, momentum = 0.9;
  bool nesterov = false;
};

/// v = momentum v + g; w -= learning_rate v, or, by Nesterov, learning_rate (g + momentum v).
template <class Space>
void momentum_update(const Space& space, Momentum options, ConstVector<Space> gradient,
                     Vector<Space> velocity, Vector<Space> weights) {
  Kokkos::parallel_for(
      "kernmill_momentum", Range<Space>(space, 0, weights.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        velocity(i) = options.momentum * velocity(i) + gradient(i);
        const double step = options.nesterov ? gradient(i) + options.momentum * velocity(i) : velocity(i);
        weights(i) -= options.learning_rate * step;
      });
}

struct Adam {
  double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
};

/// Step t (from 1) of Adam (Kingma and Ba, 2015, algorithm 1). `correction1` is 1 - beta1^t, `correction2` 1
/// - beta2^t.
template <class Space>
void adam_update(const Space& space, Adam options, double correction1, double correction2,
                 ConstVector<Space> gradient, Vector<Space> mean, Vector<Space> square,
                 Vector<Space> weights) {
  Kokkos::parallel_for(
      "kernmill_adam", Range<Space>(space, 0, weights.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        mean(i) = options.beta1 * mean(i) + (1.0 - options.beta1) * gradient(i);
        square(i) = options.beta2 * square(i) + (1.0 - options.beta2) * gradient(i) * gradient(i);
        const double first = mean(i) / correction1, second = square(i) / correction2;
        weights(i) -= options.learning_rate * first / (math::sqrt(second) + options.epsilon);
      });
}

/// w *= 1 - share: decoupled weight decay (Loshchilov and Hutter, 2019), whose share is learning rate times
/// decay.
template <class Space>
void decay(const Space& space, double share, Vector<Space> weights) {
  Kokkos::parallel_for(
      "kernmill_decay", Range<Space>(space, 0, weights.extent(0)),
      KOKKOS_LAMBDA(const std::size_t i) { weights(i) *= 1.0 - share; });
}

}  // namespace kernmill::kernels
