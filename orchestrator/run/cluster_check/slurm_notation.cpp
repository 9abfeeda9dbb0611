#include "kernmill/run/cluster_check/slurm_notation.hpp"

#include <algorithm>
#include <charconv>

namespace kernmill {
namespace {

constexpr std::size_t most_names = 100'000;

/// Splits at commas that stand outside of brackets.
std::vector<std::string_view> items_of(std::string_view text) {
  std::vector<std::string_view> items;
  std::size_t depth = 0, begin = 0;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    const char c = at < text.size() ? text[at] : ',';
    if (c == '[' || c == '(') ++depth;
    if ((c == ']' || c == ')') && depth > 0) --depth;
    if (at < text.size() && (c != ',' || depth > 0)) continue;
    if (at > begin) items.push_back(text.substr(begin, at - begin));
    begin = at + 1;
  }
  return items;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

/// The numbers of "1-3,7", as wide as they are written; nothing when it is no such list.
std::optional<std::vector<std::string>> numbers_of(std::string_view ranges) {
  std::vector<std::string> numbers;
  for (const std::string_view range : items_of(ranges)) {
    const std::size_t dash = range.find('-');
    const std::string_view low = range.substr(0, dash);
    const auto first = number<std::uint32_t>(low);
    const auto last = dash == std::string_view::npos ? first : number<std::uint32_t>(range.substr(dash + 1));
    if (!first || !last || *last < *first || *last - *first >= most_names) return {};
    for (std::uint32_t value = *first; value <= *last; ++value) {
      const std::string digits = std::to_string(value);
      numbers.push_back(std::string(low.size() > digits.size() ? low.size() - digits.size() : 0, '0') +
                        digits);
    }
  }
  return numbers;
}

/// Adds the names of one item: "rack[1-2]n[1-4]".
bool expand(const std::string& prefix, std::string_view rest, std::vector<std::string>& names) {
  const std::size_t open = rest.find('[');
  if (open == std::string_view::npos) {
    names.push_back(prefix + std::string(rest));
    return names.size() <= most_names && rest.find(']') == std::string_view::npos;
  }
  const std::size_t close = rest.find(']', open);
  if (close == std::string_view::npos) return false;
  const auto numbers = numbers_of(rest.substr(open + 1, close - open - 1));
  if (!numbers || numbers->empty()) return false;
  return std::all_of(numbers->begin(), numbers->end(), [&](const std::string& digits) {
    return expand(prefix + std::string(rest.substr(0, open)) + digits, rest.substr(close + 1), names);
  });
}

/// "name", "name:3", "name:type:3": what follows the last colon is a count when it is a number.
Counted counted(std::string_view text, bool typed) {
  Counted result;
  const std::size_t colon = text.rfind(':');
  const auto count =
      colon == std::string_view::npos ? std::nullopt : number<std::uint64_t>(text.substr(colon + 1));
  if (count) {
    result.count = *count;
    text = text.substr(0, colon);
  }
  const std::size_t type = typed ? text.find(':') : std::string_view::npos;
  result.name = text.substr(0, type);
  if (type != std::string_view::npos) result.type = text.substr(type + 1);
  return result;
}

/// Reads a constraint from left to right: & and | bind alike, as in Slurm.
struct ConstraintReader {
  std::string_view rest;
  const std::vector<std::string>& have;
  bool understood = true;

  bool expression() {
    bool value = term();
    while (understood && !rest.empty() && (rest[0] == '&' || rest[0] == '|')) {
      const bool both = rest[0] == '&';
      rest.remove_prefix(1);
      const bool next = term();
      value = both ? value && next : value || next;
    }
    return value;
  }

  bool term() {
    if (!rest.empty() && (rest[0] == '(' || rest[0] == '[')) {
      const char close = rest[0] == '(' ? ')' : ']';
      rest.remove_prefix(1);
      const bool value = expression();
      understood = understood && !rest.empty() && rest[0] == close;
      if (understood) rest.remove_prefix(1);
      return value;
    }
    const std::string_view name = rest.substr(0, rest.find_first_of("&|()[]*"));
    understood = understood && !name.empty();
    rest.remove_prefix(name.size());
    return std::find(have.begin(), have.end(), name) != have.end();
  }
};

}  // namespace

std::optional<std::vector<std::string>> host_names(std::string_view text) {
  std::vector<std::string> names;
  for (const std::string_view item : items_of(text))
    if (!expand("", item, names)) return {};
  return names;
}

std::vector<Counted> gres_list(std::string_view text) {
  std::vector<Counted> list;
  for (std::string_view item : items_of(text)) {
    item = item.substr(0, item.find('('));
    if (item.starts_with("gres:") || item.starts_with("gres/")) item.remove_prefix(5);
    list.push_back(counted(item, true));
  }
  return list;
}

std::vector<Counted> gpu_list(std::string_view text) {
  std::vector<Counted> list;
  for (const std::string_view item : items_of(text))
    list.push_back(counted("gpu:" + std::string(item), true));
  return list;
}

std::vector<Counted> license_list(std::string_view text) {
  std::vector<Counted> list;
  for (const std::string_view item : items_of(text)) {
    std::string spelled(item);
    std::replace(spelled.begin(), spelled.end(), '*', ':');
    list.push_back(counted(spelled, false));
  }
  return list;
}

Constraint::Constraint(std::string_view text) : text_(text) {
  counted_ = text.find('*') != std::string_view::npos;
  bool after_star = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("&|()[]*,"), text.size());
    if (end > 0 && !after_star) features_.emplace_back(text.substr(0, end));
    after_star = end < text.size() && text[end] == '*';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

bool Constraint::allows(const std::vector<std::string>& features) const {
  const auto has = [&](const std::string& name) {
    return std::find(features.begin(), features.end(), name) != features.end();
  };
  if (counted_) return std::any_of(features_.begin(), features_.end(), has);
  ConstraintReader reader{text_, features};
  const bool value = reader.expression();
  return !reader.understood || !reader.rest.empty() || value;
}

}  // namespace kernmill
