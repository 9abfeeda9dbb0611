#pragma once
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/workflow/value/value.hpp"

namespace kernmill {

/// A dotted name in an expression: `stages.score.accuracy` is {"stages", "score", "accuracy"}.
using NamePath = std::vector<std::string>;

/// What a name stands for.
struct Known {
  Json value;        ///< what is computed with
  std::string text;  ///< what is pasted, where that is not how JSON spells the value: 3.10 is the number 3.1
  Known(Json json) : value(std::move(json)) {}  // NOLINT(google-explicit-constructor): most have no text
  Known(Json json, std::string spelling) : value(std::move(json)), text(std::move(spelling)) {}
};

/// Gives the value of a name, or nothing when it is not known (yet).
using Lookup = std::function<std::optional<Known>(const NamePath&)>;

/// What was wrong in an expression, and where in the text it was given.
struct ExpressionError : std::runtime_error {
  explicit ExpressionError(const std::string& text, std::size_t at = 0)
      : std::runtime_error(text), message(text), offset(at) {}
  std::string message;
  std::size_t offset;  ///< in bytes from the beginning of the text
};

/// The names that the `${{ }}` parts of `text` mention. Throws ExpressionError when it does not parse.
std::vector<NamePath> names_in(std::string_view text);

/// `text` with every `${{ }}` evaluated. A text that is one `${{ }}` alone keeps the type of its value; any
/// other becomes a string. Operators: || && ! == != < <= > >= + - * / %, parentheses, numbers, 'strings',
/// true, false, null. In a name, '-' between two letters or digits belongs to the name (`stages.fit-2.rows`);
/// a subtraction has spaces around it. A part with a name that `lookup` does not know stays a part, with the
/// names that are known replaced by their values, so that a later step can fill in the rest. Throws
/// ExpressionError for a part that does not parse or cannot be computed ("a" * 2, 1 / 0). A number is pasted
/// as it was written; a whole number of more than 64 bits can be pasted, not computed with.
Json evaluate(std::string_view text, const Lookup& lookup);

/// A template that gives a text whatever its value's type: 3.10 stays "3.10", and does not become a number.
std::string as_text(const std::string& text);

/// `evaluate` on every string in `value`, at any depth.
Json evaluate_all(const Json& value, const Lookup& lookup);

}  // namespace kernmill
