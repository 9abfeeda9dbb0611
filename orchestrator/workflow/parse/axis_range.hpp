#pragma once
#include <string>
#include <vector>

#include "kernmill/workflow/value/value.hpp"

namespace kernmill {

/// The numbers of a range, each as it would be written.
struct RangeNumbers {
  std::vector<std::string> texts;
  std::string problem;  ///< why there are none; empty: there are
};

/// `range: [start, stop, step]` as Python has it: [stop], [start, stop] or all three, `stop` left out.
/// Decimals are computed with as they are written, so that 0.1 ten times is 1.0. At most `most` numbers.
RangeNumbers range_numbers(const std::vector<const Value*>& ends, std::size_t most);

}  // namespace kernmill
