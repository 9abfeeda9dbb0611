#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/workflow/expression/expression.hpp"

namespace kernmill {

/// A parsed expression. A name is `stages.score.accuracy`, or `stages['my stage'].accuracy`.
struct ExpressionNode {
  enum class Kind { literal, name, unary, binary };
  Kind kind = Kind::literal;
  Json literal;
  std::string spelling;  ///< of a literal number
  NamePath name;
  std::string op;
  std::vector<ExpressionNode> operands;
  std::size_t offset = 0;  ///< where it begins in the text it was parsed from, in bytes
  std::size_t length = 0;  ///< of a name or a literal, in bytes
};

/// One `${{ }}` of a text: all of it, and its expression with offsets into the whole text.
struct TemplatePart {
  std::size_t offset = 0;
  std::size_t length = 0;
  ExpressionNode expression;
};

/// The `${{ }}` parts of `text` in order. Throws ExpressionError.
std::vector<TemplatePart> template_parts(std::string_view text);

/// A name in a text and where it stands.
struct NameUse {
  NamePath name;
  std::size_t offset = 0;  ///< in bytes
  std::size_t length = 0;
};

/// As `names_in`, with places.
std::vector<NameUse> name_uses(std::string_view text);

}  // namespace kernmill
