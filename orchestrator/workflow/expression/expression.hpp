#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/workflow/value/value.hpp"

namespace kernmill {

/// A dotted name in an expression: `stages.score.accuracy` is {"stages", "score", "accuracy"}.
using NamePath = std::vector<std::string>;

/// Gives the value of a name, or nothing when it is not known (yet).
using Lookup = std::function<std::optional<Json>(const NamePath&)>;

/// What was wrong in an expression, and where in the text it was given.
struct ExpressionError {
  std::string message;
  std::size_t offset = 0;  ///< in bytes from the beginning of the text
};

/// The names that the `${{ }}` parts of `text` mention. Throws ExpressionError when it does not parse.
std::vector<NamePath> names_in(std::string_view text);

/// `text` with every `${{ }}` evaluated. A text that is one `${{ }}` alone keeps the type of its value; any
/// other becomes a string. Operators: || && ! == != < <= > >= + - * / %, parentheses, numbers, 'strings',
/// true, false, null. In a name, '-' between two letters or digits belongs to the name (`stages.fit-2.rows`);
/// a subtraction has spaces around it. A part with a name that `lookup` does not know stays a part, with the
/// names that are known replaced by their values, so that a later step can fill in the rest. Throws
/// ExpressionError for a part that does not parse or cannot be computed ("a" * 2, 1 / 0).
Json evaluate(std::string_view text, const Lookup& lookup);

/// `evaluate` on every string in `value`, at any depth.
Json evaluate_all(const Json& value, const Lookup& lookup);

}  // namespace kernmill
