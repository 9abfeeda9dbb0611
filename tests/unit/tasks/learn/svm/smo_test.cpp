#include "kernmill/tasks/learn/svm/smo.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace kernmill::tasks {
namespace {

/// Rows of one number with a linear kernel.
Subproblem problem_of(const std::vector<double>& rows, const std::vector<double>& signs, double C) {
  Subproblem problem;
  for (const double x : rows)
    for (const double y : rows) problem.kernel.push_back(x * y);
  problem.signs = signs;
  problem.limits.assign(rows.size(), C);
  problem.alpha.assign(rows.size(), 0.0);
  problem.gradient.assign(rows.size(), -1.0);
  return problem;
}

double weight_of(const Subproblem& problem, const std::vector<double>& rows) {
  double weight = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) weight += problem.alpha[i] * problem.signs[i] * rows[i];
  return weight;
}

// The margin is between -1 and 1: w = 1, and the rows beyond are of no weight.
TEST(Smo, FindsTheWidestMargin) {
  const std::vector<double> rows{3, 1, -1, -4};
  Subproblem problem = problem_of(rows, {1, 1, -1, -1}, 10);
  EXPECT_GT(solve(problem, 1e-9, 100), 0U);
  EXPECT_NEAR(weight_of(problem, rows), 1, 1e-9);
  EXPECT_EQ(problem.alpha[0], 0);
  EXPECT_NEAR(problem.alpha[1], 0.5, 1e-9);
}

TEST(Smo, StopsAtTheLimitExactly) {
  Subproblem problem = problem_of({1, -1}, {1, -1}, 0.1);
  solve(problem, 1e-9, 100);
  EXPECT_EQ(problem.alpha, (std::vector<double>{0.1, 0.1}));
}

// Both sit on one place: without a least curvature the step would be infinite.
TEST(Smo, TakesRowsOfTwoClassesInOnePlaceToTheirLimits) {
  Subproblem problem = problem_of({2, 2}, {1, -1}, 3);
  solve(problem, 1e-9, 100);
  EXPECT_EQ(problem.alpha, (std::vector<double>{3, 3}));
}

TEST(Smo, DoesNothingWhereOneClassIsAlone) {
  Subproblem problem = problem_of({1, 2}, {1, 1}, 1);
  EXPECT_EQ(solve(problem, 1e-9, 100), 0U);
}

TEST(Smo, KeepsTheGradientThatOfAlpha) {
  const std::vector<double> rows{0.3, -1.2, 0.8, 2.1, -0.4, 0.1}, signs{1, -1, -1, 1, 1, -1};
  Subproblem problem = problem_of(rows, signs, 0.7);
  solve(problem, 1e-9, 1000);
  for (std::size_t i = 0; i < rows.size(); ++i)
    EXPECT_NEAR(problem.gradient[i], signs[i] * rows[i] * weight_of(problem, rows) - 1, 1e-12);
}

}  // namespace
}  // namespace kernmill::tasks
