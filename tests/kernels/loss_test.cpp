#include "kernmill/kernels/loss.hpp"

#include <functional>

#include "device_test.hpp"
#include "kernmill/kernels/reduce.hpp"
#include "kernmill/reference/losses.hpp"

namespace kernmill::testing {
namespace {

constexpr std::size_t rows = 37, outputs = 5;

std::vector<int> some_labels() {
  std::vector<int> labels(rows);
  for (std::size_t i = 0; i < rows; ++i) labels[i] = static_cast<int>(i * 7 % outputs);
  return labels;
}

template <class Space>
class Losses : public ::testing::Test {
 protected:
  using Matrix = kernels::Matrix<Space>;
  using Kernel = std::function<void(Matrix z, Matrix terms)>;

  static void compare(const Kernel& kernel, const reference::Matrix& z,
                      const reference::LossResult& expected) {
    const auto gradient = to_device<Space>(z);
    const auto terms = kernels::make_matrix<Space>(z.rows, expected.terms.columns);
    kernel(gradient, terms);
    expect_near(to_host(terms), expected.terms.values);
    expect_near(to_host(gradient), expected.gradient.values);
  }

  static double summed(const Kernel& kernel, const reference::Matrix& z, std::size_t parts) {
    const auto terms = kernels::make_matrix<Space>(z.rows, parts + 1);
    kernel(to_device<Space>(z), terms);
    const auto values = to_host(terms);
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i % (parts + 1) != parts) sum += values[i];
    }
    return sum;
  }

  /// The gradient against central differences of the summed loss.
  static void differentiate(const Kernel& kernel, reference::Matrix z, std::size_t parts) {
    constexpr double step = 1e-6;
    const auto gradient = to_device<Space>(z);
    kernel(gradient, kernels::make_matrix<Space>(z.rows, parts + 1));
    const auto values = to_host(gradient);
    for (std::size_t i = 0; i < z.values.size(); i += 11) {
      const double at = z.values[i];
      z.values[i] = at + step;
      const double above = summed(kernel, z, parts);
      z.values[i] = at - step;
      const double below = summed(kernel, z, parts);
      z.values[i] = at;
      EXPECT_NEAR(values[i], (above - below) / (2 * step), 1e-6) << "at " << i;
    }
  }

  const std::vector<int> labels = some_labels();
  const std::vector<double> weights = random_vector(outputs, 3);
  const kernels::Labels<Space> device_labels = to_device<Space>(labels);
  const reference::Matrix z = random_matrix(rows, outputs, 1);
  const reference::Matrix target = random_matrix(rows, outputs, 2);
  const Kernel cross_entropy = [this](Matrix x, Matrix terms) {
    kernels::cross_entropy<Space>(Space(), device_labels, x, terms);
  };
  const Kernel squared_hinge = [this](Matrix x, Matrix terms) {
    kernels::squared_hinge<Space>(Space(), device_labels, x, terms);
  };
  const Kernel weighed_hinge = [this](Matrix x, Matrix terms) {
    kernels::squared_hinge<Space>(Space(), device_labels, x, terms);
    kernels::weigh_rows<Space>(Space(), to_device<Space>(weights), device_labels, x, terms, outputs);
  };
  const Kernel squared_error = [this](Matrix x, Matrix terms) {
    kernels::squared_error<Space>(Space(), to_device<Space>(target), x, terms);
  };
  const Kernel huber = [this](Matrix x, Matrix terms) {
    kernels::huber<Space>(Space(), 0.7, to_device<Space>(target), x, terms);
  };
};
TYPED_TEST_SUITE(Losses, Devices);

TYPED_TEST(Losses, CrossEntropyAgreesWithTheReference) {
  this->compare(this->cross_entropy, this->z, reference::cross_entropy(this->labels, this->z));
}
TYPED_TEST(Losses, SquaredHingeAgreesWithTheReference) {
  this->compare(this->squared_hinge, this->z, reference::squared_hinge(this->labels, this->z));
}
TYPED_TEST(Losses, SquaredErrorAgreesWithTheReference) {
  this->compare(this->squared_error, this->z, reference::squared_error(this->target, this->z));
}
TYPED_TEST(Losses, HuberAgreesWithTheReference) {
  this->compare(this->huber, this->z, reference::huber(0.7, this->target, this->z));
}
TYPED_TEST(Losses, GradientsAreTheDerivativesOfTheLosses) {
  this->differentiate(this->cross_entropy, this->z, 1);
  this->differentiate(this->squared_hinge, this->z, outputs);
  this->differentiate(this->squared_error, this->z, outputs);
  this->differentiate(this->huber, this->z, outputs);
  this->differentiate(this->weighed_hinge, this->z, outputs);
}
TYPED_TEST(Losses, RowsCountAsOftenAsTheirClassSays) {
  auto expected = reference::squared_hinge(this->labels, this->z);
  for (std::size_t i = 0; i < rows; ++i) {
    const double weight = this->weights.at(static_cast<std::size_t>(this->labels[i]));
    for (std::size_t j = 0; j < outputs; ++j) {
      expected.terms(i, j) *= weight;
      expected.gradient(i, j) *= weight;
    }
  }
  this->compare(this->weighed_hinge, this->z, expected);
}

TYPED_TEST(Losses, CrossEntropyOfHugeOutputsStaysFinite) {
  reference::Matrix huge = this->z;
  for (double& value : huge.values) value *= 1e5;
  const auto terms = kernels::make_matrix<TypeParam>(rows, 2);
  this->cross_entropy(to_device<TypeParam>(huge), terms);
  for (const double value : to_host(terms)) EXPECT_TRUE(std::isfinite(value));
}

TYPED_TEST(Losses, LogSoftmaxIsTheLogOfTheSoftmax) {
  const auto out = to_device<TypeParam>(this->z);
  kernels::log_softmax<TypeParam>(TypeParam(), out);
  auto expected = reference::softmax(this->z).values;
  for (double& value : expected) value = std::log(value);
  expect_near(to_host(out), expected);
}

TYPED_TEST(Losses, EqualOutputsPredictTheLowestClass) {
  reference::Matrix equal(2, 3);
  equal(1, 1) = equal(1, 2) = 1;
  const auto right = [&](const std::vector<int>& classes) {
    const auto terms = kernels::make_matrix<TypeParam>(2, 2);
    kernels::cross_entropy<TypeParam>(TypeParam(), to_device<TypeParam>(classes), to_device<TypeParam>(equal),
                                      terms);
    const auto values = to_host(terms);
    return std::vector<double>{values[1], values[3]};
  };
  EXPECT_EQ(right({0, 1}), (std::vector<double>{1, 1}));
  EXPECT_EQ(right({1, 2}), (std::vector<double>{0, 0}));
}

}  // namespace
}  // namespace kernmill::testing
