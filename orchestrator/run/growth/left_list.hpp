#pragma once
#include "kernmill/plan/decisions.hpp"
#include "kernmill/run/journal/instance_result.hpp"

namespace kernmill {

/// What a committed stage has left as the values of axes: a metric that is a list, or an artifact. A file is
/// CSV or JSON by its name or its first character, else it has a line for each value. What cannot be used is
/// a problem, in words.
DecidedList left_list(const InstanceResult& left, const Matrix::Later& later);

}  // namespace kernmill
