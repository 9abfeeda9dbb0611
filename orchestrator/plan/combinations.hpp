#pragma once
#include <cstdint>
#include <vector>

#include "kernmill/workflow/workflow.hpp"

namespace kernmill {

/// The combinations that a matrix stands for, by number: the cross product of the axes, those that are zipped
/// as one, in mixed radix (the last one varies fastest) less what `exclude` takes away, then one for each
/// `include`. None is stored: what is kept is a number for each combination of a matrix with `exclude`,
/// nothing at all for others.
class Combinations {
 public:
  /// Throws std::length_error when there are more than 2^32 - 1.
  explicit Combinations(const Matrix& matrix);

  [[nodiscard]] std::uint32_t size() const { return product_ + included_; }
  /// Combination `number` of the matrix that this was made of: {"axis": value, ...}.
  [[nodiscard]] Json values(const Matrix& matrix, std::uint32_t number) const;
  /// Of those values that are numbers with a text of their own: {"axis": "3.10", ...}.
  [[nodiscard]] Json texts(const Matrix& matrix, std::uint32_t number) const;

 private:
  /// For each axis, the place of its value.
  [[nodiscard]] std::vector<std::uint32_t> digits(const Matrix& matrix, std::uint32_t number) const;
  void leave_out(const Matrix& matrix, std::uint32_t all);

  std::uint32_t product_ = 0;  ///< combinations of the axes that are left
  std::uint32_t included_ = 0;
  std::vector<std::uint32_t> kept_;  ///< with `exclude`: the positions in the cross product that are left
};

/// Whether instance i of both means the same combination, so that stages are joined one to one.
bool same_combinations(const Matrix& a, const Matrix& b);

}  // namespace kernmill
