#include "kernmill/workflow/expression/expression.hpp"

#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "kernmill/workflow/expression/expression_syntax.hpp"
#include "kernmill/workflow/text/limits.hpp"

namespace kernmill {
namespace {

using Node = ExpressionNode;

[[noreturn]] void fail(const Node& node, const std::string& message) {
  throw ExpressionError{message, node.offset};
}

void check_length(std::size_t bytes, std::size_t offset) {
  if (bytes > limits::result_bytes)
    throw ExpressionError{fmt::format("the result is longer than {} MiB", limits::result_bytes >> 20),
                          offset};
}

std::string kind_of(const Json& json) {
  if (json.is_null()) return "null";
  if (json.is_boolean()) return json.get<bool>() ? "true" : "false";
  if (json.is_number()) return fmt::format("the number {}", json.dump());
  if (json.is_string()) return fmt::format("the text '{}'", json.get<std::string>());
  return json.is_array() ? "a list" : "a map";
}

Json compute(const Node& node, const Lookup& lookup);

bool truth(const Node& node, const Lookup& lookup, std::string_view op) {
  const Json value = compute(node, lookup);
  if (!value.is_boolean()) fail(node, fmt::format("'{}' needs true or false, not {}", op, kind_of(value)));
  return value.get<bool>();
}

Json integer_arithmetic(const Node& node, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool overflow = false;
  switch (node.op[0]) {
    case '+':
      overflow = __builtin_add_overflow(a, b, &result);
      break;
    case '-':
      overflow = __builtin_sub_overflow(a, b, &result);
      break;
    case '*':
      overflow = __builtin_mul_overflow(a, b, &result);
      break;
    default:
      if (b == 0) fail(node, "division by zero");
      overflow = a == std::numeric_limits<std::int64_t>::min() && b == -1;
      if (!overflow && node.op == "%") return a % b;
      if (!overflow && a % b != 0) return static_cast<double>(a) / static_cast<double>(b);
      if (!overflow) result = a / b;
  }
  if (overflow) fail(node, "the result is too large for an integer");
  return result;
}

Json real_arithmetic(const Node& node, double a, double b) {
  if ((node.op == "/" || node.op == "%") && b == 0) fail(node, "division by zero");
  const double result = node.op == "+"   ? a + b
                        : node.op == "-" ? a - b
                        : node.op == "*" ? a * b
                        : node.op == "/" ? a / b
                                         : std::fmod(a, b);
  if (!std::isfinite(result)) fail(node, "the result is not a finite number");
  return result;
}

Json arithmetic(const Node& node, const Json& a, const Json& b) {
  if (node.op == "+" && a.is_string() && b.is_string()) {
    const auto &front = a.get_ref<const std::string&>(), &back = b.get_ref<const std::string&>();
    check_length(front.size() + back.size(), node.offset);
    return front + back;
  }
  if (!a.is_number() || !b.is_number())
    fail(node, fmt::format("'{}' cannot join {} and {}", node.op, kind_of(a), kind_of(b)));
  if (a.is_number_integer() && b.is_number_integer())
    return integer_arithmetic(node, a.get<std::int64_t>(), b.get<std::int64_t>());
  return real_arithmetic(node, a.get<double>(), b.get<double>());
}

/// JSON has no such numbers: a metric that is one is one of these texts.
std::optional<double> beyond_json(const Json& value) {
  if (value == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (value == "inf") return std::numeric_limits<double>::infinity();
  if (value == "-inf") return -std::numeric_limits<double>::infinity();
  return {};
}

/// Compared with a number, or put in order with each other, these texts are the numbers that they stand for.
std::optional<std::pair<double, double>> as_numbers(const Json& a, const Json& b) {
  const auto one = beyond_json(a), other = beyond_json(b);
  if (!(one && (other || b.is_number())) && !(other && a.is_number())) return {};
  return std::pair(one ? *one : a.get<double>(), other ? *other : b.get<double>());
}

bool equal(const Json& a, const Json& b) {
  if (a.is_number() != b.is_number())
    if (const auto numbers = as_numbers(a, b)) return numbers->first == numbers->second;
  if (a.is_number() && b.is_number() && !(a.is_number_integer() && b.is_number_integer()))
    return a.get<double>() == b.get<double>();
  return a == b;
}

Json ordering(const Node& node, const Json& a, const Json& b) {
  const auto compare = [&](const auto& x, const auto& y) {
    return node.op == "<" ? x < y : node.op == "<=" ? x <= y : node.op == ">" ? x > y : x >= y;
  };
  if (const auto numbers = as_numbers(a, b)) return compare(numbers->first, numbers->second);
  if (a.is_number() != b.is_number() || a.is_string() != b.is_string() || !(a.is_number() || a.is_string()))
    fail(node, fmt::format("'{}' cannot compare {} with {}", node.op, kind_of(a), kind_of(b)));
  if (a.is_string()) return compare(a.get<std::string>(), b.get<std::string>());
  if (a.is_number_integer() && b.is_number_integer())
    return compare(a.get<std::int64_t>(), b.get<std::int64_t>());
  return compare(a.get<double>(), b.get<double>());
}

Json compute_unary(const Node& node, const Lookup& lookup) {
  if (node.op == "!") return !truth(node.operands[0], lookup, "!");
  const Json value = compute(node.operands[0], lookup);
  if (value.is_number_integer() && value.get<std::int64_t>() != std::numeric_limits<std::int64_t>::min())
    return -value.get<std::int64_t>();
  if (!value.is_number()) fail(node, fmt::format("'-' needs a number, not {}", kind_of(value)));
  return -value.get<double>();
}

Json compute_binary(const Node& node, const Lookup& lookup) {
  if (node.op == "&&" || node.op == "||") {
    const bool left = truth(node.operands[0], lookup, node.op);
    if (left == (node.op == "||")) return left;
    return truth(node.operands[1], lookup, node.op);
  }
  const Json a = compute(node.operands[0], lookup);
  const Json b = compute(node.operands[1], lookup);
  if (node.op == "==") return equal(a, b);
  if (node.op == "!=") return !equal(a, b);
  if (node.op[0] == '<' || node.op[0] == '>') return ordering(node, a, b);
  return arithmetic(node, a, b);
}

bool is_whole(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// A number that can only be pasted would be computed with as another one.
Json computable(const Node& node, const Known& known) {
  const std::string text = known.text.empty() && known.value.is_number() ? known.value.dump() : known.text;
  const bool is_finite = !known.value.is_number_float() || std::isfinite(known.value.get<double>());
  if (!is_finite || (known.value.is_string() && !known.text.empty()))
    fail(node, fmt::format("{} is beyond the numbers that can be computed with", text));
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const bool too_large = known.value.is_number_unsigned() && known.value.get<std::uint64_t>() > most;
  if (too_large || (known.value.is_number_float() && !known.text.empty() && is_whole(known.text)))
    fail(node, fmt::format("{} is beyond the whole numbers that can be computed with (64 bits)", text));
  return known.value;
}

/// A literal or a name, which is known here: `evaluate` has looked.
std::optional<Known> as_given(const Node& node, const Lookup& lookup) {
  if (node.kind == Node::Kind::literal) return Known(node.literal, node.spelling);
  return node.kind == Node::Kind::name ? lookup(node.name) : std::nullopt;
}

Json compute(const Node& node, const Lookup& lookup) {
  switch (node.kind) {
    case Node::Kind::literal:
    case Node::Kind::name:
      return computable(node, *as_given(node, lookup));
    case Node::Kind::unary:
      return compute_unary(node, lookup);
    default:
      return compute_binary(node, lookup);
  }
}

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result.append(c == '\'' ? 2 : 1, c);
  return result + "'";
}

/// How a value is spelled inside an expression, or nothing for lists and maps, which have no spelling.
std::optional<std::string> spelled(const Known& known) {
  const Json& value = known.value;
  if (value.is_structured()) return std::nullopt;
  const bool is_number = value.is_number() || (value.is_string() && !known.text.empty());
  if (!is_number) return value.is_string() ? quoted(value.get<std::string>()) : value.dump();
  std::string text = known.text.empty() ? value.dump() : known.text;
  if (text.starts_with('+')) text.erase(0, 1);
  return text.starts_with('-') ? "(" + text + ")" : text;
}

std::string pasted(const Known& known) {
  if (!known.text.empty()) return known.text;
  if (known.value.is_null()) return "";
  return known.value.is_string() ? known.value.get<std::string>() : known.value.dump();
}

void collect(const Node& node, std::vector<const Node*>& names) {
  if (node.kind == Node::Kind::name) names.push_back(&node);
  for (const Node& operand : node.operands) collect(operand, names);
}

/// The part's text with the names that are known replaced by their values.
std::string partly_known(std::string_view text, const TemplatePart& part,
                         const std::vector<const Node*>& names, const Lookup& lookup) {
  std::string result;
  std::size_t at = part.offset;
  for (const Node* name : names) {
    const auto value = lookup(name->name);
    const auto spelling = value ? spelled(*value) : std::nullopt;
    if (!spelling) continue;
    result += text.substr(at, name->offset - at);
    result += *spelling;
    at = name->offset + name->length;
  }
  return result + std::string(text.substr(at, part.offset + part.length - at));
}

/// The part's value, or nothing and its text as far as it is known.
std::optional<Known> evaluate_part(std::string_view text, const TemplatePart& part, const Lookup& lookup,
                                   std::string& remainder) {
  std::vector<const Node*> names;
  collect(part.expression, names);
  for (const Node* name : names) {
    if (lookup(name->name)) continue;
    remainder = partly_known(text, part, names, lookup);
    return std::nullopt;
  }
  if (auto given = as_given(part.expression, lookup)) return given;
  return compute(part.expression, lookup);
}

}  // namespace

Json evaluate(std::string_view text, const Lookup& lookup) {
  std::string result;
  std::size_t at = 0;
  for (const TemplatePart& part : template_parts(text)) {
    std::string remainder;
    const auto value = evaluate_part(text, part, lookup, remainder);
    if (value && part.length == text.size()) return value->value;
    result += text.substr(at, part.offset - at);
    result += value ? pasted(*value) : remainder;
    check_length(result.size(), part.offset);
    at = part.offset + part.length;
  }
  return result + std::string(text.substr(at));
}

std::string as_text(const std::string& text) {
  const auto parts = template_parts(text);
  const bool is_one_part = parts.size() == 1 && parts[0].length == text.size();
  return is_one_part ? "${{ '' }}" + text : text;  // what is put together from two parts is a text
}

Json evaluate_all(const Json& value, const Lookup& lookup) {
  if (value.is_string()) return evaluate(value.get_ref<const std::string&>(), lookup);
  Json result = value;
  if (value.is_structured())
    for (auto& item : result) item = evaluate_all(item, lookup);
  return result;
}

}  // namespace kernmill
