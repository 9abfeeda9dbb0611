#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/plan/plan.hpp"

namespace kernmill {

/// What a stage has left as the values of axes: what Matrix::later names.
struct DecidedList {
  std::vector<Matrix::Axis> axes;  ///< as many as it names, in that order
  std::string problem;             ///< why it cannot be used; empty: it can
};

/// The stages that decide a matrix, each once.
std::vector<std::string> deciding_stages(const Matrix& matrix);
/// "decided by split".
std::string decided_by(const Matrix& matrix);

/// The instance that leaves a list.
InstanceId deciding_instance(const Plan& plan, const Matrix::Later& later);

/// A plan with more instances: stages have the numbers that they had.
struct Growth {
  Plan plan;
  std::vector<std::uint32_t> stages;  ///< that are decided now, parents first
};

/// Decides what can be. `list` gives what a stage has left; nothing as long as it has not. A list that cannot
/// be used decides, too: its stage has one instance then, which fails (Matrix::problem). Nothing comes back
/// when nothing could be decided.
std::optional<Growth> grow(const Plan& plan,
                           const std::function<std::optional<DecidedList>(const Matrix::Later&)>& list);

/// The edited workflow of a run, with what its plan has decided already: that stays.
Workflow with_decisions_of(const Plan& before, Workflow edited);

/// The plan as it was before lists were found that could not be used: they are to be looked at again.
Plan without_problems(const Plan& plan);

}  // namespace kernmill
