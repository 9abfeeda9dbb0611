#pragma once
#include <span>
#include <string>
#include <vector>

#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/learn/rows/rows.hpp"
#include "kernmill/tasks/models/predictor.hpp"
#include "kernmill/tasks/support/json.hpp"

namespace kernmill::tasks {

/// Whether one forecast is better than another, by Diebold and Mariano (1995) with the correction of Harvey,
/// Leybourne and Newbold (1997).
struct DieboldMariano {
  double statistic = 0;  ///< positive where the second forecast has the smaller loss
  double p_value = 1;    ///< two-sided, by Student's t with n - 1 degrees of freedom
};
/// `differential` is the loss of the first forecast less that of the second, in order of time. Where it does
/// not vary, the statistic is 0.
DieboldMariano diebold_mariano(std::span<const double> differential, std::uint32_t horizon);

/// The probability that Student's t with `degrees` of freedom is further from 0 than `t`.
double student_two_sided(double t, double degrees);

/// A model's forecast of a series beside the naive one, which says that nothing changes. Metrics as the
/// evaluate task names them: naive_rmse, r2_vs_naive, dm_statistic, dm_p_value and, by column, prices' RMSE
/// and MAPE (percent). Collective.
Json compare_with_naive(const Communicator& comm, const Rows& rows, const Predictor& predictor);

}  // namespace kernmill::tasks
