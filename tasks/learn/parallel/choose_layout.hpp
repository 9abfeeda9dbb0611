#pragma once
#include <string>
#include <vector>

#include "kernmill/tasks/learn/parallel/step_cost.hpp"

namespace kernmill::tasks {

/// A layout that a training could have.
struct Candidate {
  Layout layout;
  StepCost cost;
  double memory = 0;  ///< bytes a rank
};

/// All layouts of so many ranks for a network of these layers. What is 0 of `wanted` is free; its slices are
/// as they are, since the bits of a model depend on them, so that `tensor` divides them.
std::vector<Layout> layouts_of(const Layout& wanted, std::uint64_t ranks, std::uint64_t layers);

/// The one to take comes first: of those that fit into `limit` bytes the cheapest, or a simpler one, with
/// fewer ranks to share layers, that costs hardly more (5 %). Then the others that fit, the cheapest first;
/// then those that do not, the smallest first.
std::vector<Candidate> ranked(std::vector<Candidate> candidates, double limit);

/// A line for the first, with its predicted step, and one for each of the next few: why it was not taken.
std::vector<std::string> reasons(const std::vector<Candidate>& ranked, double limit);

/// "data 4 x pipeline 2"
std::string text_of(const Layout& layout);

}  // namespace kernmill::tasks
