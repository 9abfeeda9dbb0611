#pragma once
#include "kernmill/kernels/for_each.hpp"
#include "kernmill/kernels/math.hpp"
#include "kernmill/kernels/types.hpp"

/// Steps of first-order methods, fused: what is read of a parameter is read once.
namespace kernmill::kernels {

/// How a parameter's gradient comes of what was summed up: scale * sum + penalty * parameter.
struct GradientOf {
  double scale = 1, penalty = 0;
};

struct Momentum {
  double learning_rate = 0.1, momentum = 0.9;
  bool nesterov = false;
};

/// v = momentum v + g; w -= learning_rate v, or, by Nesterov, learning_rate (g + momentum v).
template <class Space, class T = double>
void momentum_update(const Space& space, Momentum options, GradientOf of, ConstVector<Space, T> sums,
                     Vector<Space, T> velocity, Vector<Space, T> weights) {
  const T scale = static_cast<T>(of.scale), penalty = static_cast<T>(of.penalty);
  const T rate = static_cast<T>(options.learning_rate), kept = static_cast<T>(options.momentum);
  const bool nesterov = options.nesterov;
  for_each(
      space, "kernmill_momentum", weights.extent(0), KOKKOS_LAMBDA(const std::size_t i) {
        const T gradient = scale * sums(i) + penalty * weights(i);
        velocity(i) = kept * velocity(i) + gradient;
        weights(i) -= rate * (nesterov ? gradient + kept * velocity(i) : velocity(i));
      });
}

struct Adam {
  double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  /// w *= 1 - decay first: decoupled weight decay (Loshchilov and Hutter, 2019), whose share is learning rate
  /// times decay.
  double decay = 0;
};

/// Step t (from 1) of Adam (Kingma and Ba, 2015, algorithm 1). `correction1` is 1 - beta1^t, `correction2` 1
/// - beta2^t.
template <class Space, class T = double>
void adam_update(const Space& space, Adam options, double correction1, double correction2, GradientOf of,
                 ConstVector<Space, T> sums, Vector<Space, T> mean, Vector<Space, T> square,
                 Vector<Space, T> weights) {
  const T scale = static_cast<T>(of.scale), penalty = static_cast<T>(of.penalty);
  const T beta1 = static_cast<T>(options.beta1), beta2 = static_cast<T>(options.beta2);
  const T rate = static_cast<T>(options.learning_rate), epsilon = static_cast<T>(options.epsilon);
  const T by1 = static_cast<T>(correction1), by2 = static_cast<T>(correction2);
  const T kept = static_cast<T>(1 - options.decay);
  for_each(
      space, "kernmill_adam", weights.extent(0), KOKKOS_LAMBDA(const std::size_t i) {
        const T gradient = scale * sums(i) + penalty * weights(i);
        mean(i) = beta1 * mean(i) + (1 - beta1) * gradient;
        square(i) = beta2 * square(i) + (1 - beta2) * gradient * gradient;
        weights(i) = kept * weights(i) - rate * (mean(i) / by1) / (math::sqrt(square(i) / by2) + epsilon);
      });
}

/// The squares of scale * sums + penalty * parameters, added up by blocks of `block` parameters, in double.
template <class Space, class T = double>
void squared_gradient(const Space& space, GradientOf of, ConstVector<Space, T> sums,
                      ConstVector<Space, T> weights, std::size_t block, Vector<Space> squares) {
  const T scale = static_cast<T>(of.scale), penalty = static_cast<T>(of.penalty);
  const std::size_t size = sums.extent(0);
  Kokkos::parallel_for(
      "kernmill_squared_gradient", Range<Space>(space, 0, squares.extent(0)),
      KOKKOS_LAMBDA(const std::size_t b) {
        const std::size_t end = (b + 1) * block < size ? (b + 1) * block : size;
        double sum = 0;
        for (std::size_t i = b * block; i < end; ++i) {
          const double gradient = scale * sums(i) + penalty * weights(i);
          sum += gradient * gradient;
        }
        squares(b) = sum;
      });
}

/// to(i) = from(i), in another element type.
template <class Space, class From, class To>
void convert(const Space& space, ConstVector<Space, From> from, Vector<Space, To> to) {
  for_each(
      space, "kernmill_convert", to.extent(0),
      KOKKOS_LAMBDA(const std::size_t i) { to(i) = static_cast<To>(from(i)); });
}

}  // namespace kernmill::kernels
