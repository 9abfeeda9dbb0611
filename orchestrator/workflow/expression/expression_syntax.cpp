#include "kernmill/workflow/expression/expression_syntax.hpp"

#include <array>
#include <cctype>
#include <initializer_list>

#include <fmt/format.h>

#include "kernmill/workflow/text/limits.hpp"
#include "kernmill/workflow/value/scalar.hpp"

namespace kernmill {
namespace {

constexpr std::string_view open_mark = "${{";

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '_';
}
bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

/// Recursive descent over one `${{ ... }}`, by precedence: || && == != < <= > >= + - * / % ! -
class ExpressionParser {
 public:
  ExpressionParser(std::string_view text, std::size_t at) : text_(text), at_(at) {}

  /// The expression up to its `}}`; `end` becomes the offset behind that.
  ExpressionNode parse(std::size_t& end) {
    ExpressionNode node = binary(0);
    skip_space();
    if (!text_.substr(at_).starts_with("}}")) unexpected();
    end = at_ + 2;
    return node;
  }

 private:
  using Level = std::initializer_list<std::string_view>;

  static const std::vector<std::vector<std::string_view>>& levels() {
    static const std::vector<std::vector<std::string_view>> table{
        {"||"}, {"&&"}, {"==", "!="}, {"<=", ">=", "<", ">"}, {"+", "-"}, {"*", "/", "%"}};
    return table;
  }

  ExpressionNode binary(std::size_t level) {
    if (level == levels().size()) return unary();
    ExpressionNode left = binary(level + 1);
    while (true) {
      skip_space();
      const std::size_t offset = at_;
      const std::string_view op = take_operator(levels()[level]);
      if (op.empty()) return left;
      ExpressionNode right = binary(level + 1);
      ExpressionNode node;
      node.kind = ExpressionNode::Kind::binary;
      node.op = op;
      node.offset = offset;
      node.operands.push_back(std::move(left));
      node.operands.push_back(std::move(right));
      left = std::move(node);
    }
  }

  ExpressionNode unary() {
    skip_space();
    const std::size_t offset = at_;
    if (++depth_ > limits::depth) throw ExpressionError{"this expression is nested too deeply", offset};
    if (++terms_ > limits::terms)
      throw ExpressionError{fmt::format("this expression has more than {} terms", limits::terms), offset};
    ExpressionNode node;
    if (at_ < text_.size() && (text_[at_] == '!' || text_[at_] == '-')) {
      node.kind = ExpressionNode::Kind::unary;
      node.op = text_[at_++];
      node.offset = offset;
      node.operands.push_back(unary());
    } else {
      node = primary();
    }
    --depth_;
    return node;
  }

  ExpressionNode primary() {
    if (at_ >= text_.size()) unexpected();
    const char c = text_[at_];
    if (c == '(') return parenthesised();
    if (c == '\'') return string();
    if (is_digit(c) || (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) return number();
    if (is_letter(c)) return name();
    if (c == '"') throw ExpressionError{"strings in an expression take single quotes", at_};
    unexpected();
  }

  ExpressionNode parenthesised() {
    const std::size_t open = at_++;
    ExpressionNode inner = binary(0);
    skip_space();
    if (at_ >= text_.size() || text_[at_] != ')') {
      if (at_ >= text_.size() || text_.substr(at_).starts_with("}}"))
        throw ExpressionError{"this '(' is never closed", open};
      unexpected();
    }
    ++at_;
    return inner;
  }

  ExpressionNode string() {
    ExpressionNode node;
    node.offset = at_;
    node.literal = quoted();
    node.length = at_ - node.offset;
    return node;
  }

  std::string quoted() {
    const std::size_t open = at_++;
    std::string value;
    while (at_ < text_.size()) {
      if (text_[at_] != '\'') {
        value += text_[at_++];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '\'') {
        value += '\'';
        at_ += 2;
      } else {
        ++at_;
        return value;
      }
    }
    throw ExpressionError{"this string is never closed", open};
  }

  ExpressionNode number() {
    ExpressionNode node;
    node.offset = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '.' ||
                                  ((text_[at_] == '-' || text_[at_] == '+') && exponent_before(node.offset))))
      ++at_;
    node.length = at_ - node.offset;
    node.spelling = text_.substr(node.offset, node.length);
    const auto data = plain_scalar(node.spelling);
    if (const auto* whole = std::get_if<std::int64_t>(&data)) {
      node.literal = *whole;
    } else if (const auto* real = std::get_if<double>(&data)) {
      node.literal = *real;
    } else {
      throw ExpressionError{fmt::format("'{}' is no number", text_.substr(node.offset, node.length)),
                            node.offset};
    }
    return node;
  }

  [[nodiscard]] bool exponent_before(std::size_t begin) const {
    if (at_ == begin || text_.substr(begin).starts_with("0x")) return false;
    return text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E';
  }

  ExpressionNode name() {
    ExpressionNode node;
    node.kind = ExpressionNode::Kind::name;
    node.offset = at_;
    node.name.push_back(word(false));
    while (at_ < text_.size() && (text_[at_] == '.' || text_[at_] == '[')) {
      if (text_[at_] == '[')
        node.name.push_back(bracketed());
      else
        node.name.push_back((++at_, word(true)));
    }
    node.length = at_ - node.offset;
    if (node.name.size() == 1) as_constant(node);
    return node;
  }

  static void as_constant(ExpressionNode& node) {
    const std::string& word = node.name[0];
    if (word != "true" && word != "false" && word != "null") return;
    node.kind = ExpressionNode::Kind::literal;
    node.literal = word == "null" ? Json(nullptr) : Json(word == "true");
  }

  /// A word of a name; behind the first dot it may hold digits in front, and '-' between letters or digits.
  std::string word(bool inner) {
    const std::size_t begin = at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const bool dash = inner && c == '-' && at_ > begin && at_ + 1 < text_.size() &&
                        (is_letter(text_[at_ + 1]) || is_digit(text_[at_ + 1]));
      if (!is_letter(c) && !dash && !(is_digit(c) && (inner || at_ > begin))) break;
      ++at_;
    }
    if (at_ == begin) throw ExpressionError{"a name is missing here", begin};
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string bracketed() {
    ++at_;
    skip_space();
    if (at_ >= text_.size() || text_[at_] != '\'')
      throw ExpressionError{"a name in brackets takes single quotes, as in stages['my-stage']", at_};
    std::string value = quoted();
    skip_space();
    if (at_ >= text_.size() || text_[at_] != ']') throw ExpressionError{"']' is missing here", at_};
    ++at_;
    return value;
  }

  std::string_view take_operator(const std::vector<std::string_view>& operators) {
    for (const std::string_view op : operators) {
      if (!text_.substr(at_).starts_with(op)) continue;
      at_ += op.size();
      return op;
    }
    return {};
  }

  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }

  [[noreturn]] void unexpected() const {
    if (at_ >= text_.size()) throw ExpressionError{"this expression is not closed with '}}'", at_};
    if (text_.substr(at_).starts_with("}}"))
      throw ExpressionError{"the expression ends too early; a value is missing", at_};
    if (text_[at_] == '=') throw ExpressionError{"'=' is no operator; compare with '=='", at_};
    if (text_[at_] == '&' || text_[at_] == '|')
      throw ExpressionError{fmt::format("'{0}' is no operator; did you mean '{0}{0}'?", text_[at_]), at_};
    throw ExpressionError{fmt::format("'{}' is not expected here", text_[at_]), at_};
  }

  std::string_view text_;
  std::size_t at_;
  std::size_t depth_ = 0, terms_ = 0;
};

void collect_names(const ExpressionNode& node, std::vector<NameUse>& names) {
  if (node.kind == ExpressionNode::Kind::name) names.push_back({node.name, node.offset, node.length});
  for (const ExpressionNode& operand : node.operands) collect_names(operand, names);
}

}  // namespace

std::vector<TemplatePart> template_parts(std::string_view text) {
  std::vector<TemplatePart> parts;
  if (text.size() > limits::template_bytes && text.find(open_mark) != std::string_view::npos)
    throw ExpressionError{
        fmt::format("a text with expressions may be {} KiB long, not more", limits::template_bytes >> 10),
        text.find(open_mark)};
  for (std::size_t at = text.find(open_mark); at != std::string_view::npos;) {
    std::size_t end = 0;
    ExpressionNode expression = ExpressionParser(text, at + open_mark.size()).parse(end);
    if (parts.size() == limits::expressions_of_text)
      throw ExpressionError{
          fmt::format("a text may have {} expressions, not more", limits::expressions_of_text), at};
    parts.push_back({at, end - at, std::move(expression)});
    at = text.find(open_mark, end);
  }
  return parts;
}

std::vector<NameUse> name_uses(std::string_view text) {
  std::vector<NameUse> names;
  for (const TemplatePart& part : template_parts(text)) collect_names(part.expression, names);
  return names;
}

std::vector<NamePath> names_in(std::string_view text) {
  std::vector<NamePath> names;
  for (NameUse& use : name_uses(text)) names.push_back(std::move(use.name));
  return names;
}

}  // namespace kernmill
