#pragma once
#include <vector>

#include "kernmill/tasks/models/kernel_svm/squared_hinge.hpp"

namespace kernmill::tasks {

/// Where the minimum is of 1/2 |w|^2 + the squared hinge loss, of each class against the rest.
struct HingeMinimum {
  std::vector<double> weights;     ///< features x classes
  std::vector<double> objectives;  ///< of each class
  double right = 0;                ///< rows predicted right
  std::uint64_t iterations = 0;
};

/// Newton's method with conjugate gradients (Keerthi and DeCoste: A modified finite Newton method for fast
/// solution of large scale linear SVMs, JMLR 6, 2005; Lin, Weng, Keerthi: Trust region Newton method for
/// logistic regression, JMLR 9, 2008), for all classes together: a pass over the rows makes the features for
/// all of them. Of a class until the gradient's norm is `tolerance` times the one at zero. Collective.
HingeMinimum minimize_hinge(Session& session, SquaredHinge& loss, std::size_t features, std::size_t classes,
                            double tolerance);

}  // namespace kernmill::tasks
