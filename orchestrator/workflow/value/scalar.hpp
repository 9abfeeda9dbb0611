#pragma once
#include <string_view>

#include "kernmill/workflow/value/value.hpp"

namespace kernmill {

/// What a plain YAML scalar means by the core schema of YAML 1.2: null, a boolean, an integer (also 0o17 and
/// 0x1F; 010 is ten), a real (also 1e-3, .inf, .nan), else text. An integer beyond 64 bits is a real.
decltype(Value::data) plain_scalar(std::string_view text);

}  // namespace kernmill
